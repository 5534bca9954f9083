import type { Ancestor } from '../../../machine/ancestry.ts'

/** What is read of the processes that are to move, and of the two machines. Nothing is changed by reading it. */

/** Both machines. Sizes are bytes. */
export type MachineFacts = {
  /** `uname -m`. */
  arch: string
  /** `uname -r`. */
  kernel: string
  /** Which start of the machine this is. */
  bootId: string
  /** No other machine's, nor another container's: boots of two may have one id where they share a kernel. */
  identity: string
  /** MemAvailable. */
  memoryBytes: number
  /** Free below /var/lib, where images are kept. */
  diskBytes: number
  /** As `criu --version` says; absent where criu is not installed. */
  criu?: CriuFacts
}
export type CriuFacts = {
  version: string
  /** Whether `criu check` is content, and the last line that it prints. */
  check: { ok: boolean; line: string }
}

export type SourceFacts = MachineFacts & {
  host: string
  /** Who asks: the user of this program, or the one that ssh logs in as. */
  uid: number
  pid: number
  /** The process first, and each parent before its children. */
  tree: [TaskFacts, ...TaskFacts[]]
  /** Whether children began or ended while these facts were read: of those nothing is told. */
  changing: boolean
  /** Its parent, that one's parent, and so on up to the first process. */
  ancestors: Ancestor[]
  /** The processes that read these facts, up to PID 1. */
  line: number[]
  /** Names of the users of the tree's processes, where the machine has one. */
  users: Record<string, string>
  sockets: SocketFacts[]
  /** What of System V's objects is the tree's, apart from memory that is mapped. */
  systemV: SystemVObject[]
  /** Processes outside the tree that hold a pipe, a socket, or a peer of a socket, of the tree's. */
  outside: OutsideHolder[]
  /** Processes outside the tree that share memory which the tree writes to. */
  sharers?: { pid: number; command: string }[]
  /** By path: regular files that the tree has open or mapped, and its programs. */
  files: Record<string, FileFacts>
  /** What criu does not carry along, or not always; see attributes.sh. Absent where nothing would come of it. */
  attributes?: Attribute[]
  /** Paths of the control groups of who reads these facts. */
  ownCgroups?: string[]
  /** Paths of the SQLite databases that the tree has open for writing; absent where nothing would come of it. */
  databases?: string[]
  /** By path: permission bits of what the tree has open or mapped, and of its folders. criu wants the same there. */
  modes: Record<string, number>
  /** PIDs that a cpulimit stops and continues. */
  limited: number[]
  /** Paths that end as the kernel marks what is deleted, and are there under just that name. */
  namedAsDeleted?: string[]
  /** What the tree watches by inotify, where a name for it was found. */
  watchedPaths?: { path: string; kind: 'file' | 'directory' }[]
  /** PIDs that waited in the kernel for half a second, and could not be stopped. */
  stuck?: number[]
  /** Sizes of the terminals that the tree has open, or is controlled by, where they can be told; by path. */
  terminals?: Record<string, { rows: number; columns: number }>
  /** Processes outside the tree that have a terminal open whose other end is the tree's, by its number. */
  onlookers?: { index: number; pid: number; command: string }[]
  /** Devices, as `major:minor`, of mounted overlayfs. */
  overlays: string[]
  /** criu's `cpuinfo.img` in base64; empty where criu can't tell. */
  cpuinfo: string
}

export type TaskFacts = {
  pid: number
  parent: number
  group: number
  session: number
  /** Of its controlling terminal, as the kernel numbers it; 0 without one. */
  terminal: number
  /** In ticks since the machine was started. */
  startTicks: number
  /** One letter: see proc_pid_stat(5). */
  state: string
  /** Whether it is a thread of the kernel's own. */
  kernel: boolean
  uid: number
  /** The kernel's name of the command, as it is: not yet safe to print. */
  command: string
  threads: number[]
  /** The PID of a debugger; 0 without one. */
  tracer: number
  /** In memory and in swap. */
  memoryBytes: number
  /** What an image of it holds: anonymous and shared memory, in memory and in swap. */
  imageBytes: number
  /** Paths of its control groups. */
  cgroups: string[]
  /** Kinds of namespaces in which it is not where this machine's scripts are: `pid`, `net`, `mnt`, … */
  namespaces: string[]
  /** Where the kernel tells: not of a process that has ended and waits for its parent. */
  exe?: string
  cwd?: string
  root?: string
  open: OpenFile[]
  mapped: MappedFile[]
}

export type Attribute = {
  /** A PID; a thread's number where it is the thread's own. */
  id: number
  name: string
  value: string
}

export type FileKind = 'file' | 'directory' | 'character' | 'block' | 'pipe' | 'socket' | 'other'
type Referred = {
  /**
   * As the kernel names it: a path, `pipe:[1]`, `socket:[2]`, `anon_inode:[eventpoll]`; as it is, not safe to print. A
   * POSIX message queue, whose name is no path, is `mqueue`.
   */
  link: string
  /** Its name is gone, or it never had one. */
  deleted: boolean
  kind: FileKind
  /** Device and inode of what it refers to, as `device:inode`. */
  identity: string
  sizeBytes: number
  /** Names that it still has. */
  links: number
  /** Of a device. */
  device: { major: number; minor: number }
  writable: boolean
}
export type OpenFile = Referred & {
  fd: number
  append: boolean
  /** What the kernel tells of locks and leases on it, a line each. */
  locks: string[]
  /** Devices, as `major:minor`, of what an inotify watches. */
  watches: string[]
  /** Of a pidfd: the process that it stands for. */
  pidfd?: number
  /** Of a terminal's other end: N of /dev/pts/N. */
  terminal?: number
}
/** `writable` where writing to the memory writes to the file. */
export type MappedFile = Referred & { range: string }

export type SocketFacts = {
  inode: string
  /** The kernel's table where it stands, absent for a kind that has none or a socket that is not bound. */
  table?: string
  /** As that table writes it: for tcp `0A` listens. */
  state?: string
  /** Of a unix socket that has a name; `@` begins an abstract one. */
  path?: string
  /** Of an IP socket: its own end, the address as /proc/net writes it. */
  port?: number
  address?: string
  /** Inode of the socket at the other end of a unix socket, 0 without one; absent where nobody can tell. */
  peer?: string
}

/** By the number that ipcs(1) shows. */
export type SystemVObject = { kind: 'sem' | 'msg' | 'shm'; id: number }

export type OutsideHolder = { pid: number; command: string; inode: string }

export type FileFacts = {
  sizeBytes: number
  /** Seconds since 1970. */
  modified: number
  /** Absent where it could not be read, or where nothing would come of it. */
  sha256?: string
}

/** What the target is asked about. */
export type Wanted = {
  /** Absolute paths. */
  paths: string[]
  /** PIDs, TIDs, PGIDs and SIDs. */
  numbers: number[]
  users: { uid: number; name?: string }[]
  cpuinfo: string
  /** Of TCP and UDP. */
  ports: number[]
}

export type TargetFacts = MachineFacts & {
  host: string
  /** By path: what is there; a path that nothing is at is not in it. */
  paths: Record<string, TargetPath>
  /** Of those asked about. */
  taken: number[]
  /** The greatest PID that its kernel gives. */
  mostPid: number
  users: TargetUser[]
  /** Its own addresses, those of IPv6 in eight groups without leading zeros. */
  addresses?: string[]
  /** Sockets that have one of the ports that were asked about. */
  inUse?: PortInUse[]
  /** Programs of util-linux, and python3, that are there, and `realtime` where a process can be given a real-time priority. */
  tools?: string[]
  /** Its CPUs that are online, as a list of the kernel's: `0-3,8`. */
  cpus?: string
  /** Whether its CPU can do what the source's can, and what criu says; absent where nobody can tell. */
  cpu?: { ok: boolean; line: string }
}
/** The table is the kernel's, such as `tcp6`; the address is as that table writes it. */
export type PortInUse = { table: string; port: number; address: string }
/** The name that its user database has for the number, and the number that it has for the name. */
export type TargetUser = { uid: number; nameThere?: string; uidThere?: number }

export type TargetPath = {
  kind: FileKind
  sizeBytes: number
  /** Permission bits. */
  mode: number
  uid: number
  gid: number
  sha256?: string
  /** Hash of the content with which an earlier migration left it. */
  left?: string
}
