/** Icons: 20 px strokes in the colour of the text. Always beside a word or under a label of the control. */
import type { ReactNode } from 'react'

const PATHS = {
  overview: <path d="M3 9.5 10 4l7 5.5V16a1 1 0 0 1-1 1h-3.5v-4.5h-5V17H4a1 1 0 0 1-1-1z" />,
  devices: <path d="M6.5 3v4M13.5 3v4M4.5 7h11v3.5a5.5 5.5 0 0 1-11 0zM10 16v2" />,
  layers: <path d="m10 3 7 3.5-7 3.5-7-3.5zM3 10l7 3.5 7-3.5M3 13.5 10 17l7-3.5" />,
  streams: (
    <path d="M3 6c2.3 0 2.3 2 4.7 2S10 6 12.3 6s2.4 2 4.7 2M3 12c2.3 0 2.3 2 4.7 2s2.3-2 4.6-2 2.4 2 4.7 2" />
  ),
  ok: <path d="m5 10.5 3.2 3.2L15 6.8" />,
  warn: <path d="M10 3.5 17.5 16h-15zM10 8.2v3.6M10 13.9v.1" />,
  bad: <path d="M7 3h6l4 4v6l-4 4H7l-4-4V7zM7.5 7.5l5 5M12.5 7.5l-5 5" />,
  empty: <circle cx="10" cy="10" r="6.5" strokeDasharray="2.6 2.5" />,
  clock: <path d="M10 3.5a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13M10 6.5V10l2.4 1.6" />,
  info: <path d="M10 3.5a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13M10 9.3v4M10 6.7v.1" />,
  bolt: <path d="M11 2.8 4.8 11h4.4l-.8 6.2L14.6 9h-4.4z" />,
  insight: <path d="M7.5 14.5a5 5 0 1 1 5 0V16a1 1 0 0 1-1 1h-3a1 1 0 0 1-1-1zM7.8 14.3h4.4" />,
  table: <path d="M3.5 4.5h13v11h-13zM3.5 8.2h13M3.5 11.9h13M8 4.5v11" />,
  chart: <path d="M3.5 4v12.5h13M6 12.5l3-4 3 2.5 4-5.5" />,
  sun: (
    <path d="M10 6.8a3.2 3.2 0 1 1 0 6.4 3.2 3.2 0 0 1 0-6.4M10 2.2v1.6M10 16.2v1.6M2.2 10h1.6M16.2 10h1.6M4.5 4.5l1.1 1.1M14.4 14.4l1.1 1.1M4.5 15.5l1.1-1.1M14.4 5.6l1.1-1.1" />
  ),
  moon: <path d="M16 11.6A6.5 6.5 0 1 1 8.4 4a5.2 5.2 0 0 0 7.6 7.6z" />,
  system: <path d="M3 4.5h14v9H3zM7.5 16.5h5M10 13.5v3" />,
  help: (
    <path d="M10 3.5a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13M8.2 8.2a1.8 1.8 0 1 1 2.7 1.6c-.6.3-.9.7-.9 1.4M10 13.4v.1" />
  ),
  home: <path d="M3.5 9 10 4l6.5 5v7.5h-13zM8 16.5V12h4v4.5" />,
  pause: <path d="M7 5v10M13 5v10" />,
  play: <path d="m6.5 4.5 9 5.5-9 5.5z" />,
  close: <path d="m5 5 10 10M15 5 5 15" />,
  rise: <path d="M10 4.5 17 16H3z" fill="currentColor" />,
  fall: <path d="M10 15.5 3 4h14z" fill="currentColor" />,
  chevron: <path d="m6 8 4 4 4-4" />,
  left: <path d="m12 5-5 5 5 5" />,
  right: <path d="m8 5 5 5-5 5" />,
  more: <path d="M4.5 10h.01M10 10h.01M15.5 10h.01" strokeWidth="2.4" />,
  retry: <path d="M15.8 8A6.2 6.2 0 1 0 16 12M16 4v4h-4" />,
} satisfies Record<string, ReactNode>

export type IconName = keyof typeof PATHS

export function Icon({ name, className = '' }: { name: IconName; className?: string }) {
  return (
    <svg
      viewBox="0 0 20 20"
      width="20"
      height="20"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.6"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      className={`shrink-0 ${className}`}
    >
      {PATHS[name]}
    </svg>
  )
}
