"""A window with a question or an error, as a program of its own, so that it can be ended.

It is started as a file, without this package. Arguments: the kind, the title and the text. Exit
code 0 is yes, 1 is no.
"""

import sys

#: No window can be opened.
NO_WINDOW = 3


def main(kind: str, title: str, text: str) -> int:
    """Show the window until it is closed."""
    try:
        import tkinter
        from tkinter import messagebox
    except ImportError:
        return NO_WINDOW
    try:
        root = tkinter.Tk()
        root.withdraw()
        root.attributes("-topmost", True)
        if kind == "error":
            messagebox.showerror(title, text)
            return 0
        # Otherwise the return key, pressed for another program, would be a yes.
        return 0 if messagebox.askyesno(title, text, default=messagebox.NO) else 1
    except tkinter.TclError:
        return NO_WINDOW


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
