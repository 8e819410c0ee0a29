/** The small course of a figure: bars for what is summed, a line for what is a level. Gaps stay gaps. */

interface Props {
  values: readonly (number | null)[]
  kind: 'bars' | 'line'
  /** What it shows, for those who cannot see it. */
  label: string
}

const WIDTH = 120
const HEIGHT = 32

export function Sparkline({ values, kind, label }: Props) {
  const known = values.filter((value) => value !== null)
  if (known.length === 0) return <div className="h-8" />
  return (
    <svg
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
      className="h-8 w-full overflow-visible text-accent"
    >
      {kind === 'bars' ? (
        <Bars values={values} max={Math.max(...known)} />
      ) : (
        <Line values={values} known={known} />
      )}
    </svg>
  )
}

function Bars({ values, max }: { values: readonly (number | null)[]; max: number }) {
  const step = WIDTH / values.length
  const gap = Math.min(2, step * 0.25)
  return values.map((value, i) => {
    const height = value === null || max <= 0 ? 0 : Math.max(1, (value / max) * HEIGHT)
    return (
      <rect
        key={i}
        x={i * step}
        y={HEIGHT - height}
        width={step - gap}
        height={height}
        rx={Math.min(1, step / 4)}
        fill="currentColor"
        opacity={i === values.length - 1 ? 1 : 0.38}
      />
    )
  })
}

function Line({ values, known }: { values: readonly (number | null)[]; known: readonly number[] }) {
  const low = Math.min(...known)
  const high = Math.max(...known)
  // A level that does not move is a line in the middle, not a fault at the edge.
  const y = (value: number) =>
    high === low ? HEIGHT / 2 : HEIGHT - 3 - ((value - low) / (high - low)) * (HEIGHT - 6)
  const x = (i: number) => (values.length === 1 ? WIDTH : (i / (values.length - 1)) * WIDTH)
  let path = ''
  values.forEach((value, i) => {
    if (value === null) return
    const begins = i === 0 || values[i - 1] === null
    // A lone value among gaps is a short dash, or it would not be seen.
    path += `${begins ? 'M' : 'L'}${x(i).toFixed(1)} ${y(value).toFixed(1)}${begins ? 'h0.5' : ''}`
  })
  return (
    <path
      d={path}
      fill="none"
      stroke="currentColor"
      strokeWidth="1.75"
      strokeLinejoin="round"
      strokeLinecap="round"
      vectorEffect="non-scaling-stroke"
    />
  )
}
