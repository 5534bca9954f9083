"""Computes what depends on every step before, and writes it to `result`: slowly, until the file `gate` is there.

Usage: chain.py loop|threads|pool|asyncio|numpy. When the slow part begins, the file `half` is made.
"""

import asyncio
import hashlib
import multiprocessing
import os
import sys
import threading
import time

STEPS = 20_000
way = sys.argv[1]


def begun(step):
    if step == 100:
        open("half", "w").close()


def slow(step):
    return step >= 100 and step % 10 == 0 and not os.path.exists("gate")


def chain(seed, mark=False):
    value = str(seed).encode()
    for step in range(STEPS):
        value = hashlib.sha256(value).digest()
        if mark:
            begun(step)
        if slow(step):
            time.sleep(0.05)
    return value.hex()


def threads():
    values = [""] * 4

    def one(index):
        values[index] = chain(index, index == 0)

    all = [threading.Thread(target=one, args=(index,)) for index in range(4)]
    for each in all:
        each.start()
    for each in all:
        each.join()
    return "\n".join(values)


def pool():
    with multiprocessing.Pool(3) as workers:
        return "\n".join(workers.map(piece, range(6), chunksize=1))


def piece(seed):
    return chain(seed, seed == 0)


async def tasks():
    async def one(seed):
        value = str(seed).encode()
        for step in range(STEPS):
            value = hashlib.sha256(value).digest()
            if seed == 0:
                begun(step)
            if slow(step):
                await asyncio.sleep(0.05)
        return value.hex()

    return "\n".join(await asyncio.gather(*(one(seed) for seed in range(4))))


def matrices():
    import numpy

    value = numpy.arange(90_000, dtype=numpy.float64).reshape(300, 300) / 90_000
    # A product takes long: there are fewer steps.
    for step in range(400):
        value = value @ value
        value /= numpy.abs(value).max()
        begun(step)
        if step >= 100 and not os.path.exists("gate"):
            time.sleep(0.5)
    return hashlib.sha256(value.round(9).tobytes()).hexdigest()


def main():
    ways = {"loop": lambda: chain(0, True), "threads": threads, "pool": pool, "numpy": matrices}
    result = asyncio.run(tasks()) if way == "asyncio" else ways[way]()
    with open("result", "w") as file:
        print(result, file=file)


if __name__ == "__main__":
    main()
