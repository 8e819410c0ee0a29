/** Where the browser begins: the providers, the routes, the root element. */
import { CSPProvider } from '@base-ui/react/csp-provider'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import {
  Link,
  RouterProvider,
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
} from '@tanstack/react-router'
import { StrictMode, startTransition } from 'react'
import { createRoot } from 'react-dom/client'
import { ApiError } from './api.ts'
import { devicesSearchOf } from './devices/search.ts'
import { Card, Failure } from './kit/Card.tsx'
import { painted } from './kit/paint.ts'
import { mendLanguage } from './language.ts'
import { OverviewPage } from './overview/OverviewPage.tsx'
import { Shell } from './shell/Shell.tsx'
import { streamSearchOf } from './streams/search.ts'
import './styles.css'
import { texts } from './texts.ts'
import { homesQuery, overviewQuery, searchOf } from './useHouse.ts'

mendLanguage()

const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      // What the server refuses it will refuse again.
      retry: (count, error) =>
        count < 1 && !(error instanceof ApiError && error.status >= 400 && error.status < 500),
      retryDelay: 500,
    },
  },
})

const root = createRootRoute({ validateSearch: searchOf, component: Shell, notFoundComponent: NotFound })
const overview = createRoute({ getParentRoute: () => root, path: '/', component: OverviewPage })
const devices = createRoute({
  getParentRoute: () => root,
  path: '/devices',
  validateSearch: devicesSearchOf,
  component: lazyRouteComponent(() => import('./devices/DevicesPage.tsx'), 'DevicesPage'),
})
const device = createRoute({
  getParentRoute: () => root,
  path: '/devices/$id',
  component: lazyRouteComponent(() => import('./devices/DevicePage.tsx'), 'DevicePage'),
})
const streams = createRoute({
  getParentRoute: () => root,
  path: '/streams',
  validateSearch: streamSearchOf,
  component: lazyRouteComponent(() => import('./streams/StreamsPage.tsx'), 'StreamsPage'),
})
const router = createRouter({
  routeTree: root.addChildren([overview, devices, device, streams]),
  scrollRestoration: true,
  defaultErrorComponent: ({ error, reset }) => (
    <Card title={texts.crashed} className="min-h-[220px]">
      <Failure error={error instanceof Error ? error : new Error(String(error))} retry={reset} />
    </Card>
  ),
})

// A press is answered by a frame before the page or range that it leads to is drawn. The first page comes at once, and
// so does what only replaces the address, such as the filter that somebody types.
const { load } = router
router.load = async (options) => {
  router.updateLatestLocation()
  if (router.state.resolvedLocation && options?.action?.type !== 'REPLACE') await painted()
  await load(options)
}

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}

function NotFound() {
  return (
    <div className="flex flex-col items-center gap-2 py-24">
      <p className="font-medium">{texts.notFound.title}</p>
      <Link to="/" className="text-accent underline">
        {texts.notFound.back}
      </Link>
    </div>
  )
}

/** Longer the page is not kept waiting for its first figures. */
const FIRST_FIGURES_MS = 300

/** What the first drawing needs, asked for by `begin.js` already: with it the figures are drawn once, not twice. */
async function firstFigures(): Promise<void> {
  const homes = await queryClient.fetchQuery(homesQuery)
  const { pathname, search } = router.latestLocation
  if (pathname === '/') await queryClient.prefetchQuery(overviewQuery(search.home ?? homes.default, search))
}

async function begin(): Promise<void> {
  const element = document.getElementById('root')
  if (!element) throw new Error('index.html has no #root')
  await Promise.race([
    Promise.allSettled([router.load(), firstFigures()]),
    new Promise((resolve) => setTimeout(resolve, FIRST_FIGURES_MS)),
  ])
  // As a transition: rendered in slices, so that a slow phone answers in between.
  startTransition(() =>
    createRoot(element).render(
      <StrictMode>
        {/* The content security policy admits no style elements. */}
        <CSPProvider disableStyleElements>
          <QueryClientProvider client={queryClient}>
            <RouterProvider router={router} />
          </QueryClientProvider>
        </CSPProvider>
      </StrictMode>,
    ),
  )
}

void begin()
