import { createHash } from 'node:crypto'
import { rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import pMap from 'p-map'
import { run } from '../base/command.ts'
import { writeAtomically } from '../base/atomic-file.ts'
import { runtimeDir } from '../base/runtime-dir.ts'
import type { SshDestination } from './node.ts'
import type { SshFiles } from './ssh.ts'
import { optionsOfOtherNames, readConfiguration, type SshConfiguration } from './ssh-sections.ts'
import { quickKeyExchanges, sshClient, type SshClient } from './ssh-client.ts'
import { exitMasterArguments } from './ssh.ts'

// sun_path holds 104 bytes on macOS, 108 on Linux, its NUL included, and ssh adds 17 characters while it connects.
const MAX_CONTROL_PATH = process.platform === 'linux' ? 90 : 86
const NAME_LENGTH = 20

export type KeptFiles = SshFiles & { kept: boolean }

/**
 * The ssh connections that runs of this program keep and share, one socket a destination in a folder that only
 * this user can enter.
 */
export class Connections {
  readonly #dir: string | undefined
  /** Asked once, when it is needed first. */
  #client: Promise<SshClient> | undefined
  /** Read once, however many machines there are. */
  #configuration: Promise<SshConfiguration> | undefined
  /** What the person has set for a machine under another of its names; asked once. */
  readonly #options = new Map<string, Promise<string[]>>()
  /** Sockets that were not there when they were first needed. */
  readonly #opened = new Set<string>()
  /** Those of all instances: of a program that asks again and again, for its end. */
  static readonly #openedByProcess = new Set<string>()

  private constructor(dir: string | undefined) {
    this.#dir = dir
  }

  static async open(): Promise<Connections> {
    return new Connections(await runtimeDir(MAX_CONTROL_PATH - NAME_LENGTH - 1))
  }

  /**
   * The files for a connection to this destination, and whether a kept one is there to be used.
   *
   * @param cipher the one it should have; connections with different ones are kept apart
   */
  async files(destination: SshDestination, cipher?: string): Promise<KeptFiles> {
    return this.#remembered(await this.#filesFor(destination, cipher))
  }

  /**
   * The same for a command that only measures. Where a connection for work is kept it goes over that, and finds out
   * whether it still leads anywhere; else over one for measuring alone, which may end at any moment (see `runOverKept`).
   */
  async filesForMeasuring(destination: SshDestination): Promise<KeptFiles & { alone: boolean }> {
    const forWork = await this.#filesFor(destination)
    if (forWork.kept || forWork.controlPath === undefined) return { ...forWork, alone: false }
    // Of the same options; only its socket is another one.
    const controlPath = join(dirname(forWork.controlPath), digest(`measuring ${forWork.controlPath}`))
    const files = this.#remembered({ ...forWork, controlPath, kept: await exists(controlPath) })
    return { ...files, alone: true }
  }

  async #filesFor(destination: SshDestination, cipher?: string): Promise<KeptFiles> {
    this.#client ??= sshClient(this.#dir)
    const configuration = await (this.#configuration ??= readConfiguration())
    const more = await this.#optionsOf(destination, configuration)
    const client = await this.#client
    const keyExchanges = destination.tailnet && quickKeyExchanges(client, configuration)
    const chosen = {
      knowsSession: client.knowsSession,
      ...(more.length > 0 ? { more } : {}),
      ...(cipher === undefined ? {} : { cipher }),
      ...(keyExchanges ? { keyExchanges } : {}),
    }
    if (this.#dir === undefined) return { kept: false, ...chosen }
    // Who sets another user or another way meanwhile is not to go on with the connection of before.
    const kind = JSON.stringify({ ...destination, cipher, more, configuration })
    const controlPath = join(this.#dir, digest(kind))
    const kept = await exists(controlPath)
    const knownHosts = await this.#knownHosts(this.#dir, destination)
    return { controlPath, kept, ...chosen, ...(knownHosts === undefined ? {} : { knownHosts }) }
  }

  #remembered(files: KeptFiles): KeptFiles {
    if (!files.kept && files.controlPath !== undefined) this.#remember(files.controlPath)
    return files
  }

  async #optionsOf(destination: SshDestination, configuration: SshConfiguration): Promise<string[]> {
    const key = destination.tailnet?.dnsName ?? ''
    const known = this.#options.get(key)
    if (known) return await known
    const asked = optionsOfOtherNames(destination, configuration, new AbortController().signal)
    this.#options.set(key, asked)
    return await asked
  }

  /** Ends a kept connection that does not answer; the next one to that destination is this run's own. */
  async drop(controlPath: string): Promise<void> {
    await exitMaster(controlPath)
    await rm(controlPath, { force: true })
    this.#remember(controlPath)
  }

  #remember(controlPath: string): void {
    this.#opened.add(controlPath)
    Connections.#openedByProcess.add(controlPath)
  }

  /** Tells the masters that were opened here to exit. */
  async closeOpened(): Promise<void> {
    await exitMasters(this.#opened)
  }

  /** Tells all masters that this program has opened to exit. */
  static async closeAllOpened(): Promise<void> {
    await exitMasters(Connections.#openedByProcess)
  }

  async #knownHosts(dir: string, { tailnet }: SshDestination): Promise<string | undefined> {
    if (!tailnet || tailnet.hostKeys.length === 0) return undefined
    const lines = tailnet.hostKeys.map((key) => `${tailnet.dnsName} ${key}\n`).join('')
    const path = join(dir, `keys-${digest(lines)}`)
    if (await exists(path)) return path
    // Without the file, on a full disk, ssh decides by what it has seen before.
    return await writeAtomically(path, lines, 0o600).then(
      () => path,
      () => undefined,
    )
  }
}

async function exitMasters(paths: Iterable<string>): Promise<void> {
  await pMap(paths, async (path) => ((await exists(path)) ? exitMaster(path) : undefined), {
    concurrency: 16,
  })
}

async function exitMaster(controlPath: string): Promise<void> {
  const command = { file: 'ssh', args: exitMasterArguments(controlPath) }
  await run(command, { timeoutMs: 1000, signal: new AbortController().signal })
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, NAME_LENGTH)
}
