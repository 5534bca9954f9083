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
      file: 'test/lib/localsend/trials.test.ts',
      title: 'with a fault at a random time or byte',
    },
  },
  huge: {
    rounds: 4096,
    what: 'MiB in one file, and the memory that both ends need',
    test: { file: 'test/scripts/throughput.alone.test.ts', title: 'a huge file needs less than' },
  },
  speeds: {
    rounds: 256,
    what: 'MiB by LocalSend, curl, scp and Taildrop, side by side',
    test: {
      file: 'test/scripts/throughput.alone.test.ts',
      title: 'a file arrives whole by each way',
    },
  },
}
