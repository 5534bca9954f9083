import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { execa } from 'execa'
import { LabError } from './error.ts'

export interface Lock {
  release: () => Promise<void>
}

/**
 * An exclusive lock that the kernel gives back when its holder dies, however it dies: flock(1) holds the file
 * while a `cat` reads from a pipe that only this process can write to, so there is no stale lock to detect.
 */
export const takeLock = async (path: string, timeoutMs: number, what: string): Promise<Lock> => {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const holder = execa(
    'flock',
    [
      '--exclusive',
      '--timeout',
      String(timeoutMs / 1000),
      path,
      'sh',
      '-c',
      'echo held; exec cat >/dev/null',
    ],
    { reject: false, stdin: 'pipe', stdout: 'pipe', detached: true, cleanup: false },
  )
  const held = await Promise.race([
    new Promise<boolean>((resolve) => {
      holder.stdout.once('data', () => resolve(true))
    }),
    holder.then(() => false),
  ])
  if (!held)
    throw new LabError(`${what} is in use by another process (waited ${Math.round(timeoutMs / 1000)} s)`)
  return {
    release: async () => {
      holder.stdin.end()
      await holder
    },
  }
}
