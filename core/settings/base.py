"""What a group of settings is: frozen, checked, with no name that is not declared."""

from pydantic import BaseModel, ConfigDict

Fraction = float  # 0 to 1


class Settings(BaseModel):
    """A group of settings: frozen, and no name is taken that is not declared."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)
