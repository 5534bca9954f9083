import { z } from 'zod'

export const SkillInstall = {
  input: z.strictObject({
    to: z.string().min(1).optional().describe('the folder that has the skills (~/.claude/skills)'),
  }),
  result: z.strictObject({
    skill: z.string().describe('the folder of the copy'),
    program: z.string().describe('where the copy finds the program'),
    replaced: z.boolean().describe('whether an earlier copy was there'),
  }),
}
export type SkillInstallInput = z.output<typeof SkillInstall.input>
export type SkillInstallResult = z.output<typeof SkillInstall.result>
