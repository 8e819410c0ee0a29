import type { Command } from './command.ts'
export const VERIFY: Command = { name: 'verify', summary: '', options: {}, examples: [], run: async () => 1 }
