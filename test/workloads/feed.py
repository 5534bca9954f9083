"""Prints the numbers up to 100 000, a line each: slowly in the middle, until the file `gate` is there.

Usage: feed.py [FORM]. FORM is printf's, for one number (%d). When the slow part begins, the file `half` is made.
"""

import os
import sys
import time

form = sys.argv[1] if len(sys.argv) > 1 else "%d"
out = os.fdopen(os.dup(1), "w", buffering=1)
for number in range(1, 100_001):
    print(form % number, file=out)
    if number == 1000:
        open("half", "w").close()
    if number >= 1000 and number % 10 == 0 and not os.path.exists("gate"):
        time.sleep(0.05)
