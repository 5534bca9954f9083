import { forAgents } from '../agents/verbs.ts'
import { holding } from '../hold/verbs.ts'
import { localsending } from '../localsend/verbs.ts'
import { moving } from '../move/verbs.ts'
import { running } from '../run/verbs.ts'
import { seeing } from '../see/verbs.ts'
import { sharing } from '../share/verbs.ts'
import { watching } from '../watch/verbs.ts'
import type { Verb } from '../verb.ts'

/** All that this program can do. */
export const VERBS: readonly Verb[] = [
  ...seeing,
  ...watching,
  ...holding,
  ...moving,
  ...running,
  ...sharing,
  ...localsending,
  ...forAgents,
]
