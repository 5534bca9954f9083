import { setMaxListeners } from 'node:events'
import { createConnection, type Socket } from 'node:net'
import type { Ended, Limits } from '../base/command.ts'
import { BROKEN_OFF } from './ssh-faults.ts'
import { Fields, Messages, string, u32 } from './ssh-wire.ts'

// A command over a connection that ssh keeps, without another ssh that asks for it: with many machines, starting those
// costs more than all else. It is the proxy mode of OpenSSH's multiplexing (since 7.4, described in its PROTOCOL.mux): the
// messages of ssh's connection protocol (RFC 4254) go over the socket as they are, and the ssh behind it numbers channels
// anew, encrypts, and keeps the connection for as long as it would.

const MUX = { hello: 0x1, proxy: 0x1000_000f, proxied: 0x8000_000f, version: 4 } as const
const CHANNEL = {
  open: 90,
  opened: 91,
  notOpened: 92,
  windowAdjust: 93,
  data: 94,
  extendedData: 95,
  eof: 96,
  close: 97,
  request: 98,
  success: 99,
  failure: 100,
} as const
/** Our own number of the only channel. */
const HERE = 0
/** How many bytes may come before the other side has to hear that it may send more. */
const WINDOW = 2 << 20
/** Of data in one message, either way. */
const PACKET = 32_768
const MOST_MESSAGE = PACKET + 1024
/**
 * How long the answer to a closing is waited for, or to an opening that is no longer wanted: the ssh that keeps the
 * connection ends when who has begun to open a channel goes before it is open.
 */
const GOODBYE_MS = 300
/** As ssh itself ends where its connection breaks. */
const BROKEN = 255

export type KeptCommand = { controlPath: string; command: string; input: string }

/**
 * Runs a command at the other end of a kept connection, as `run` does by an ssh that goes over it.
 *
 * Where the machine lets no further session in (sshd's MaxSessions), the ssh that keeps the connection ends, and with it
 * all that goes over it: OpenSSH up to 10.0 at least has no end for a channel of this mode that was never open. So it is
 * for connections that nothing but commands which may be run again goes over.
 *
 * @param limits their `maxOutput` counts bytes here
 * @returns undefined where the command has not begun: nobody keeps the connection any more, or not in this way, or no
 *   further session is let in. An ssh of its own tells why.
 * @throws the signal's reason
 */
export async function runOverKept(
  { controlPath, command, input }: KeptCommand,
  { timeoutMs, signal, maxOutput = Infinity }: Limits,
): Promise<Ended | undefined> {
  signal.throwIfAborted()
  const socket = createConnection({ path: controlPath })
  const session = new Session(socket, command, Buffer.from(input), maxOutput)
  const over = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  let timedOut = false
  const late = () => {
    timedOut = true
    session.stop()
  }
  const timer = setTimeout(late, Math.max(1, Math.ceil(timeoutMs)))
  const stop = () => session.stop()
  // As many sessions as there are machines heed one signal.
  setMaxListeners(0, signal)
  signal.addEventListener('abort', stop)
  await over
  clearTimeout(timer)
  signal.removeEventListener('abort', stop)
  signal.throwIfAborted()
  return session.begun || timedOut ? { ...session.said(), timedOut } : undefined
}

class Session {
  /** Whether the machine has been asked to run the command, and has not refused. */
  begun = false
  readonly #socket: Socket
  readonly #command: string
  readonly #mostOutput: number
  readonly #messages = new Messages(MOST_MESSAGE)
  readonly #stdout: Buffer[] = []
  readonly #stderr: Buffer[] = []
  #input: Buffer
  #proxied = false
  #accepted = false
  /** The other side's number of the channel, once it is open. */
  #there: number | undefined
  /** How many bytes it takes now, and in one message. */
  #window = 0
  #packet = PACKET
  #bytes = 0
  #unacknowledged = 0
  #exitCode: number | undefined
  #leaving = false
  /** Whether it ended by itself, or was told to here. */
  #ended = false
  #tooMuch = false

  constructor(socket: Socket, command: string, input: Buffer, mostOutput: number) {
    this.#socket = socket
    this.#command = command
    this.#input = input
    this.#mostOutput = mostOutput
    // That it broke is seen by what has not come.
    socket.on('error', () => undefined)
    socket.on('data', (part: Buffer) => this.#read(part))
    socket.write(Buffer.concat([string(u32(MUX.hello, MUX.version)), string(u32(MUX.proxy, 0))]))
  }

  said(): Omit<Ended, 'timedOut'> {
    const stderr = Buffer.concat(this.#stderr).toString()
    return {
      stdout: Buffer.concat(this.#stdout).toString(),
      stderr: this.#ended ? stderr : `${stderr}\n${BROKEN_OFF}`,
      exitCode: this.#ended ? this.#exitCode : BROKEN,
      missing: false,
      tooMuch: this.#tooMuch,
    }
  }

  /** Ends it, whatever the command does. */
  stop(): void {
    this.#ended = true
    this.#leave()
  }

  #leave(): void {
    if (this.#leaving) return
    this.#leaving = true
    // A channel that is about to open is closed once it is open.
    const opening = this.#proxied && this.#there === undefined
    if (!opening) this.#close()
    const timer = setTimeout(() => this.#socket.destroy(), GOODBYE_MS)
    this.#socket.once('close', () => clearTimeout(timer))
  }

  #close(): void {
    if (this.#there !== undefined) this.#send(CHANNEL.close, u32(this.#there))
    this.#socket.end()
  }

  #read(part: Buffer): void {
    try {
      for (const message of this.#messages.of(part))
        if (this.#proxied) this.#hear(new Fields(message))
        else this.#greeted(new Fields(message))
    } catch {
      // Nothing that ssh says; what it does with it is not known either.
      this.#socket.destroy()
    }
  }

  #greeted(fields: Fields): void {
    const type = fields.u32()
    if (type === MUX.hello) return
    if (type !== MUX.proxied) throw new Error('no proxy mode')
    this.#proxied = true
    this.#send(CHANNEL.open, string('session'), u32(HERE, WINDOW, PACKET))
  }

  #hear(fields: Fields): void {
    fields.byte() // How much padding follows: there is none.
    const type = fields.byte()
    if (type < CHANNEL.open || type > CHANNEL.failure) return
    fields.u32() // Our own number of the channel.
    if (type === CHANNEL.opened) this.#opened(fields)
    else if (type === CHANNEL.notOpened) this.#socket.destroy()
    else if (type === CHANNEL.success) this.#accept()
    else if (type === CHANNEL.windowAdjust) this.#mayWrite(fields.u32())
    else if (type === CHANNEL.data) this.#keep(this.#stdout, fields)
    else if (type === CHANNEL.extendedData) {
      fields.u32() // Which kind: there is only standard error.
      this.#keep(this.#stderr, fields)
    } else if (type === CHANNEL.request) this.#asked(fields)
    else if (type === CHANNEL.failure) {
      this.begun = false
      this.#leave()
    } else if (type === CHANNEL.close) {
      this.#ended = true
      if (this.#leaving) this.#socket.destroy()
      else this.#leave()
    }
  }

  #opened(fields: Fields): void {
    this.#there = fields.u32()
    this.#window = fields.u32()
    this.#packet = Math.min(fields.u32(), PACKET)
    if (this.#leaving) return this.#close()
    this.begun = true
    this.#send(CHANNEL.request, u32(this.#there), string('exec'), Buffer.of(1), string(this.#command))
  }

  #accept(): void {
    this.#accepted = true
    this.#mayWrite(0)
  }

  #mayWrite(more: number): void {
    this.#window += more
    // What comes before the command is accepted, some servers drop.
    if (!this.#accepted || this.#there === undefined || this.#leaving) return
    const before = this.#input.length
    while (this.#input.length > 0 && this.#window > 0) {
      const part = this.#input.subarray(0, Math.min(this.#window, this.#packet))
      this.#input = this.#input.subarray(part.length)
      this.#window -= part.length
      this.#send(CHANNEL.data, u32(this.#there), string(part))
    }
    if (before > 0 && this.#input.length === 0) this.#send(CHANNEL.eof, u32(this.#there))
  }

  #keep(parts: Buffer[], fields: Fields): void {
    const data = fields.string()
    this.#bytes += data.length
    if (this.#bytes > this.#mostOutput) {
      this.#tooMuch = true
      return this.stop()
    }
    parts.push(data)
    this.#unacknowledged += data.length
    if (this.#there === undefined || this.#leaving || this.#unacknowledged < WINDOW / 2) return
    this.#send(CHANNEL.windowAdjust, u32(this.#there, this.#unacknowledged))
    this.#unacknowledged = 0
  }

  #asked(fields: Fields): void {
    const what = fields.string().toString()
    const answer = fields.byte() !== 0
    if (what === 'exit-status') this.#exitCode = fields.u32()
    if (answer && this.#there !== undefined) this.#send(CHANNEL.failure, u32(this.#there))
  }

  #send(type: number, ...fields: readonly Buffer[]): void {
    if (this.#socket.writable) this.#socket.write(string(Buffer.concat([Buffer.of(0, type), ...fields])))
  }
}
