export function poorContrasts(): string[]
export function intrude(): string
export function turnAway(): void
export function turnBack(): void
