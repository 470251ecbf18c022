"""The telephone links of a web page, such as a CRM's: ``keyyo-cti dial`` calls them, or refuses.

On the simulator, the page has a number and a trap. On Keyyo it takes a page that you have saved,
and asks before each call.
"""

import os
import subprocess
import sys
from html.parser import HTMLParser
from typing import List, Optional, Tuple

from whose_line import mine, whose_line

PAGE = '<a href="tel:+33-1-99-02-00-00">Bob</a> <a href="tel:*21*33199030000%23">Win a prize</a>'


class LinkFinder(HTMLParser):
    links: List[str] = []

    def handle_starttag(self, tag: str, attrs: List[Tuple[str, Optional[str]]]) -> None:
        link = dict(attrs).get("href") or ""
        if link.lower().startswith(("tel:", "callto:")):
            self.links.append(link)


if __name__ == "__main__":
    if mine() and len(sys.argv) != 2:
        sys.exit("which page? Give a file: python samples/dial_links.py PAGE")
    finder = LinkFinder()
    finder.feed(open(sys.argv[1], encoding="utf-8").read() if mine() else PAGE)
    options = ["--confirm"] if mine() else ["--only", "33[1-79][0-9]{8}"]
    with whose_line(lambda *people: None) as line:
        # Not an argument, which other users of the machine could read.
        os.environ["KEYYO_CSI_TOKEN"] = line.new_token()
        dial = [sys.executable, "-m", "keyyo_cti", "dial", "--endpoint", line.options["endpoint"]]
        for link in finder.links:
            # No shell reads the link, and after "--" it cannot be an option.
            subprocess.run([*dial, *options, "--", link], stderr=subprocess.STDOUT)
