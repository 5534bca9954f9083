export type Soak = {
  /** How often it repeats, where nobody says otherwise. */
  rounds: number
  /** What the number counts. */
  what: string
} & (
  | {
      /** The test that takes the short sample otherwise: its file, and its title or what it begins with. */
      test: { file: string; title: string }
      torture?: never
    }
  | {
      /** What torture-migrate is called with. */
      torture: readonly string[]
      test?: never
    }
)

/** What can be repeated for confidence, by name. */
export const SOAKS: Readonly<Record<string, Soak>> = {
  torture: { rounds: 500, what: 'migrations, each with a fault at a random moment', torture: [] },
  systematic: {
    rounds: 1,
    what: 'time every fault before and in the middle of every step of a migration',
    torture: ['--systematic'],
  },
  terminals: {
    rounds: 300,
    what: 'migrations of what has a terminal, each with a fault at a random moment',
    torture: ['--terminals'],
  },
  brokers: {
    rounds: 100,
    what: 'brokers killed while they carry a plan out',
    test: {
      file: 'test/scripts/rebalance.alone.test.ts',
      title: 'killed at any moment, it loses and doubles no process',
    },
  },
  jobs: {
    rounds: 30,
    what: 'who enqueues, and as many who start a job, killed',
    test: { file: 'test/scripts/jobs.lab.test.ts', title: 'may be killed at any moment' },
  },
  trees: {
    rounds: 100,
    what: 'generated trees of processes, refused or moved',
    test: { file: 'test/scripts/migrate-trees.lab.test.ts', title: 'a tree is refused by just what' },
  },
  sockets: {
    rounds: 300,
    what: 'migrations of what has a socket of the network, each with a fault at a random moment',
    torture: ['--sockets'],
  },
  moving: {
    rounds: 100,
    what: 'programs at most of the table of what moves, started in four ways',
    test: { file: 'test/scripts/moving.lab.test.ts', title: 'what people run moves' },
  },
  loops: {
    rounds: 20,
    what: 'moves of a loop whose children come and go',
    test: { file: 'test/scripts/migrate-carried.lab.test.ts', title: 'a loop whose children come and go' },
  },
  throttle: {
    rounds: 30,
    what: 'scum-throttle killed by each of its means',
    test: {
      file: 'test/scripts/scum.alone.test.ts',
      title: 'leaves nothing held that no record tells of',
    },
  },
  transfers: {
    rounds: 1000,
    what: 'LocalSend transfers with a fault at a random time or byte',
    test: {
      file: 'test/lib/share/localsend/trials.test.ts',
      title: 'with a fault at a random time or byte',
    },
  },
  watch: {
    rounds: 50,
    what: 'terminals closed, and programs killed, while they watch',
    test: {
      file: 'test/scripts/watch.lab.test.ts',
      title: 'a terminal that is closed, and a program that is killed, leave nothing',
    },
  },
  huge: {
    rounds: 4096,
    what: 'MiB in one file, and the memory that both ends need',
    test: { file: 'test/scripts/throughput.alone.test.ts', title: 'a huge file needs less than' },
  },
}
