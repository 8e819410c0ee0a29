/** A table as the cards of this page have it. */
import type { ReactNode } from 'react'

export const CELL = 'py-1.5 whitespace-nowrap'
export const NUMBER = `${CELL} pl-4 text-right`

export function Scroll({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div className="overflow-x-auto" tabIndex={0} role="group" aria-label={label}>
      {children}
    </div>
  )
}

export function Heads({ names }: { names: readonly string[] }) {
  return (
    <thead className="text-left text-muted">
      <tr>
        {names.map((name, n) => (
          <th key={name} scope="col" className={`${n === 0 ? CELL : NUMBER} font-medium`}>
            {name}
          </th>
        ))}
      </tr>
    </thead>
  )
}
