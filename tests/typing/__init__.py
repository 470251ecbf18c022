"""What type checkers find in programs that use the package."""
