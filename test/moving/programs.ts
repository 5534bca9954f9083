import { REPOSITORY } from '../migrate/scene.ts'

/**
 * What people run. Each runs in a folder of its own; it makes the file `half` there when it is in the middle of its work,
 * and hurries to its end when the file `gate` is there.
 */
export type Program = {
  title: string
  /** A command with its arguments, as it is typed. */
  command: string
  /** What is there besides, before it begins: a script. */
  before?: string
  /** What the other machine has in a folder of that name, before it moves: a script. */
  there?: string
  /** When it is in the middle: a script that succeeds then; else when it answers, or has made `half`. */
  ready?: string
  /** Options of `migrate-scum`, besides `--copy-files`. */
  options?: readonly string[]
  /** What of it has to be the same as where nobody has disturbed it: a script that prints it, when it has ended. */
  result?: string
  /** Of what does not end by itself: what it has to answer before it moves and after, by a script. */
  answers?: string
  /** It needs a terminal. */
  terminal?: true
}

const own = (name: string) => `${REPOSITORY}/test/workloads/${name}`
const FEED = `python3 ${own('feed.py')}`
const RESULT = 'cat result'
const piped = (...filters: string[]) => `bash -c '${[FEED, ...filters].join(' | ')} >result'`
const get = (port: number, path = '') =>
  `python3 -c 'import urllib.request as r; print(r.urlopen("http://127.0.0.1:${port}/${path}", timeout=5).read().decode().strip())'`
/** That a file has more lines soon, once something is done. */
const tells = (act: string, file: string) =>
  `was=$(wc -l <${file}); ${act}; for each in $(seq 50); do [ "$(wc -l <${file})" -gt "$was" ] && echo more && break; sleep 0.2; done`
const script = (program: string, text: string) => `cat >${program} <<'END'\n${text}\nEND`
const MAKEFILE = script(
  'Makefile',
  `all: ${Array.from({ length: 12 }, (_, index) => `part${index}`).join(' ')}\npart%:\n\t@seq 100 | while read -r n; do echo "$* $$n" | sha256sum | cut -c -8; [ "$$n" != 3 ] || : >half; [ "$$n" -lt 3 ] || [ -e gate ] || sleep 0.2; done | sha256sum | sed "s/^/$* /"`,
)

export const PROGRAMS: readonly Program[] = [
  { title: 'python: a loop', command: `python3 ${own('chain.py')} loop`, result: RESULT },
  { title: 'python: four threads', command: `python3 ${own('chain.py')} threads`, result: RESULT },
  { title: 'python: multiprocessing.Pool', command: `python3 ${own('chain.py')} pool`, result: RESULT },
  { title: 'python: numpy', command: `python3 ${own('chain.py')} numpy`, result: RESULT },
  { title: 'python: asyncio', command: `python3 ${own('chain.py')} asyncio`, result: RESULT },
  {
    title: 'python: a web server, whose files both have',
    before: 'echo page >page',
    there: 'echo page >page',
    command: 'python3 -u -m http.server 7101',
    answers: get(7101, 'page'),
  },
  {
    title: 'python: a client with a connection',
    command: `python3 ${own('sockets.py')} . client 10.99.0.13 7102`,
    ready: '[ -s 0.0 ]',
  },
  {
    title: 'the same, with --close-connections',
    command: `python3 ${own('sockets.py')} . client 10.99.0.13 7102`,
    ready: '[ -s 0.0 ]',
    options: ['--close-connections'],
    answers: 'wc -l <0.0 | { read -r was; sleep 1; [ "$(wc -l <0.0)" -gt "$was" ] && echo goes on; }',
  },
  { title: 'node', command: `node ${own('chain.mjs')}`, result: RESULT },
  { title: 'node, with io_uring', command: `env UV_USE_IO_URING=1 node ${own('chain.mjs')}` },
  {
    title: 'node: a web server',
    before: script(
      'server.mjs',
      "import { createServer } from 'node:http'\ncreateServer((_, answer) => answer.end('page')).listen(7103)",
    ),
    command: 'node server.mjs',
    ready: get(7103),
    answers: get(7103),
  },
  {
    title: 'bash: a loop of commands',
    before: script(
      'loop.sh',
      'for ((step = 1; step <= 300; step++)); do\n  echo "$step" | sha256sum\n  [ "$step" != 20 ] || : >half\n  [ "$step" -lt 20 ] || [ -e gate ] || sleep 0.5\ndone >result',
    ),
    command: 'bash loop.sh',
    result: RESULT,
  },
  { title: 'bash: a pipeline', command: piped('grep -v 7', 'tr 1-5 a-e', 'sha256sum'), result: RESULT },
  { title: 'xz', command: piped('xz'), result: RESULT },
  { title: 'gzip', command: piped('gzip -n'), result: RESULT },
  { title: 'pigz', command: piped('pigz -n -p 4'), result: RESULT },
  { title: 'sort', command: piped('sort'), result: RESULT },
  { title: 'awk', command: piped('awk "{ sum += \\$1 * NR % 7 } END { print sum }"'), result: RESULT },
  {
    title: 'perl',
    command: piped('perl -ne "\\$s = (\\$s * 31 + \\$_) % 1000003; END { print \\$s }"'),
    result: RESULT,
  },
  {
    title: 'lua',
    command: piped('lua5.4 -e "s = 0 for l in io.lines() do s = (s * 31 + l) % 1000003 end print(s)"'),
    result: RESULT,
  },
  { title: 'bc', command: piped('bc'), result: RESULT },
  { title: 'openssl', command: piped('openssl enc -aes-256-cbc -pbkdf2 -nosalt -k key'), result: RESULT },
  {
    title: 'make -j4',
    before: MAKEFILE,
    command: `bash -c 'make -s -j4 >result'`,
    result: 'sort result',
  },
  {
    title: 'make -j4 --jobserver-style=pipe',
    before: MAKEFILE,
    command: `bash -c 'make -s -j4 --jobserver-style=pipe >result'`,
    result: 'sort result',
  },
  {
    title: 'xargs -P4',
    before: script(
      'piece',
      'for ((n = 1; n <= 200; n++)); do\n  echo "$1 $n" | sha256sum\n  [ "$n" != 3 ] || : >half\n  [ "$n" -lt 3 ] || [ -e gate ] || sleep 0.5\ndone | sha256sum | sed "s/^/$1 /"',
    ),
    command: `bash -c 'piece=$(cat piece); seq 8 | xargs -P4 -I N bash -c "$piece" piece N >result'`,
    result: 'sort result',
  },
  {
    title: 'rsync over ssh',
    before: 'head -c 9000000 /dev/urandom >file; ssh-keyscan n3.lan 2>/dev/null >known',
    command: `rsync -a --bwlimit=50 -e "ssh -o UserKnownHostsFile=known" file n3.lan:/var/tmp/`,
    ready: 'pgrep -f "[s]sh -o UserKnownHostsFile=known"',
  },
  {
    title: 'wget',
    command:
      'wget -q -t 0 --waitretry=1 --retry-connrefused --limit-rate=40k -O result http://10.99.0.13:7104/file',
    ready: '[ -s result ]',
  },
  {
    title: 'wget -c, with --close-connections',
    command: 'wget -q -c -t 0 --waitretry=1 --retry-connrefused --limit-rate=60k http://10.99.0.13:7104/file',
    ready: '[ -s file ]',
    options: ['--close-connections'],
    result: 'sha256sum <file',
  },
  {
    title: 'rsync of a file, slowly',
    before: 'seq 1000000 >file',
    command: 'rsync --bwlimit=80 file copy',
    ready: 'ls .copy.*',
    result: 'sha256sum <copy',
  },
  {
    title: 'sqlite3, in memory',
    command: `bash -c '{ echo "create table t (n);"; ${FEED} "insert into t values (%d);"; echo "select count(*), sum(n) from t;"; } | sqlite3 >result'`,
    result: RESULT,
  },
  {
    title: 'sqlite3, a database with a rollback journal',
    command: `bash -c '{ echo "create table t (n);"; ${FEED} "insert into t values (%d);"; } | sqlite3 base'`,
  },
  {
    title: 'sqlite3, a database with a write-ahead log',
    command: `bash -c '{ echo "pragma journal_mode=wal; create table t (n);"; ${FEED} "insert into t values (%d);"; } | sqlite3 base >log'`,
  },
  {
    title: 'redis',
    command: 'redis-server --port 7105 --save "" --dir . --logfile log',
    ready: 'redis-cli -p 7105 set key value | grep OK',
    answers: 'redis-cli -p 7105 get key',
  },
  {
    title: 'nginx, whose files both have',
    before: `echo page >page; ${script('conf', 'user root; error_log log; pid pid; daemon off; worker_processes 2;\nevents {}\nhttp { access_log off; server { listen 7106; root .; } }')}`,
    there: 'echo page >page',
    command: 'nginx -p . -c conf',
    ready: get(7106, 'page'),
    answers: get(7106, 'page'),
  },
  {
    title: 'stress-ng',
    command: 'stress-ng --cpu 2 --cpu-load 10 --verify --timeout 0 --log-file log',
    ready: 'pgrep -f "[s]tress-ng-cpu"',
    answers: 'if grep -q fail log; then cat log; else echo no failure; fi',
  },
  {
    title: 'a job that holds a lock: flock',
    command: `flock lock bash -c '${FEED} | sha256sum >result'`,
    result: RESULT,
  },
  {
    title: 'top -b',
    command: `bash -c 'top -b -d 0.2 >log'`,
    ready: '[ -s log ]',
    answers: 'wc -l <log | { read -r was; sleep 1; [ "$(wc -l <log)" -gt "$was" ] && echo goes on; }',
  },
  {
    title: 'python: watches a folder in memory (inotify)',
    before: 'mkdir "/dev/shm/${PWD##*/}"',
    command: `bash -c 'exec python3 ${own('watcher.py')} /dev/shm/\${PWD##*/}'`,
    ready: '[ -s events ]',
    answers: tells('touch "/dev/shm/${PWD##*/}/$RANDOM"', 'events'),
  },
  {
    title: 'python: watches a file in memory (inotify)',
    before: ': >"/dev/shm/${PWD##*/}"',
    command: `bash -c 'exec python3 ${own('watcher.py')} /dev/shm/\${PWD##*/}'`,
    ready: '[ -s events ]',
    answers: tells('echo line >>"/dev/shm/${PWD##*/}"', 'events'),
  },
  {
    title: 'tail -f of a file on an overlay file system',
    before: 'echo line >file',
    command: `bash -c 'tail -f file >copy'`,
    ready: '[ -s copy ]',
  },
  {
    title: 'tail -f of a file in memory',
    before: 'echo line >"/dev/shm/${PWD##*/}"',
    command: "bash -c 'tail -f /dev/shm/${PWD##*/} >copy'",
    ready: '[ -s copy ]',
    answers: tells('echo line >>"/dev/shm/${PWD##*/}"', 'copy'),
  },
  { title: 'watch', command: 'watch -n 1 date', ready: 'true', terminal: true },
  { title: 'top', command: 'top', ready: 'true', terminal: true },
  { title: 'vim', before: 'echo text >file', command: 'vim.tiny file', ready: 'true', terminal: true },
]
