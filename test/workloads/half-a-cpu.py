"""Uses half of a CPU by its own account, or as much of that as it gets: a twin for processes that are held to 50 %."""
import time

began, used = time.monotonic(), time.process_time()
while True:
    if time.process_time() - used < (time.monotonic() - began) / 2:
        for _ in range(2000):
            pass
    else:
        time.sleep(0.005)
