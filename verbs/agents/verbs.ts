import { verb } from '../verb.ts'
import { SkillInstall } from './schemas.ts'

export const forAgents = [
  verb({
    name: 'skill_install',
    recipe: 'skill-install',
    title: 'Give agents the skill',
    description:
      'Copies the skill of this program to where agents look for skills, in the place of an earlier copy.',
    effect: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
    ...SkillInstall,
    load: async () => (await import('./skill-install.ts')).skillInstall,
  }),
]
