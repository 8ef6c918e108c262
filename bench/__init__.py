"""What figray costs, measured; no part of the package."""
