"""The single losses, pure functions of tensors."""
