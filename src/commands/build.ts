import { buildDashboard } from '../7-dashboard/build.ts'
import type { Command } from './command.ts'

export const BUILD: Command = {
  name: 'build',
  summary: 'build the dashboard, if it is out of date (`up` does so by itself)',
  options: {},
  examples: ['smarthouse build'],
  async run() {
    const { built, ms } = await buildDashboard()
    console.log(built ? `Dashboard built in ${(ms / 1000).toFixed(1)} s.` : 'The dashboard is up to date.')
    return 0
  },
}
