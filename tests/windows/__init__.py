"""The samples with a window, on a screen that nobody sees."""
