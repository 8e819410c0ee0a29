/** The routes of devices: the list, one device, its history and messages, what nobody could read, and what people say. */
import type { z } from 'zod'
import { isPlatformError } from '../errors.ts'
import type { AnswerOf, DeviceDetail } from './contract.ts'
import { dateAfter, spanOf } from './days.ts'
import { HISTORY_TABLES, readHistory } from './device-history.ts'
import { factsOf, healthOf, idsOf, readMessages } from './device.ts'
import { DEVICE_TABLES, readDeviceRows, type DevicesSource } from './devices.ts'
import { homeIn } from './directory.ts'
import { readHealthOf } from './figures.ts'
import { ApiError } from './problems.ts'
import type { Answerer, RouteOptions } from './routes.ts'
import type { Serving } from './serving.ts'

const HEALTH_DAYS = 30

export function registerDevices(
  answer: Answerer,
  serving: Serving,
  options: RouteOptions & { tenantOf(asked: string | undefined): Promise<string> },
): void {
  const { timeZone, currency, clock, tenantOf, book } = options
  const sourceOf = async (tenant: string): Promise<DevicesSource> => ({
    tenant,
    directory: await serving.directory.read(),
    live: serving.live?.home(tenant),
    heard: book?.heard() ?? [],
    timeZone,
    nowMs: clock(),
    offlineS: options.offlineS,
  })
  const common = (tenant: string) => ({
    tenant,
    time_zone: timeZone,
    generated_at: new Date(clock()).toISOString(),
    can_change: book !== undefined,
  })

  answer('devices', async (query) => {
    const tenant = await tenantOf(query.tenant)
    const view = await serving.reader.view(DEVICE_TABLES)
    const unread = book?.unread().filter(({ tenant_id }) => tenant_id === tenant) ?? []
    return {
      ...common(tenant),
      devices: await readDeviceRows(view, await sourceOf(tenant)),
      unknown_messages: unread.reduce((sum, { count }) => sum + count, 0),
    }
  })
  answer('device', async ({ tenant: asked, device }) => {
    const tenant = await tenantOf(asked)
    return { ...common(tenant), currency, ...(await detailOf(serving, await sourceOf(tenant), device)) }
  })
  answer('deviceHistory', async ({ tenant: asked, device, range, end }) => {
    const tenant = await tenantOf(asked)
    const view = await serving.reader.view(HISTORY_TABLES)
    return await readHistory(view, { tenant, device, range, end }, { timeZone, nowMs: clock() })
  })
  answer('deviceMessages', async ({ tenant: asked, device, limit }) => {
    const tenant = await tenantOf(asked)
    const ids = idsOf(homeIn(await serving.directory.read(), tenant), device)
    return await readMessages(serving.reader, { tenant, ids, limit }, { timeZone })
  })
  answer('unknownMessages', async (query) => {
    const tenant = await tenantOf(query.tenant)
    const patterns = (book?.unread() ?? []).filter(({ tenant_id }) => tenant_id === tenant)
    return { tenant, patterns: [...patterns] }
  })
  registerChange(answer, serving, { book, tenantOf, sourceOf })
}

/** Throws `unknown_device` where nothing names it. */
async function detailOf(
  serving: Serving,
  source: DevicesSource,
  device: string,
): Promise<Pick<z.infer<typeof DeviceDetail>, 'device' | 'facts' | 'health'>> {
  const { tenant, timeZone, nowMs } = source
  const view = await serving.reader.view(DEVICE_TABLES)
  const row = (await readDeviceRows(view, source)).find(({ device_id }) => device_id === device)
  if (!row) throw noSuchDevice(tenant, device)
  const { today } = spanOf({ range: 'today' }, timeZone, nowMs)
  const from = dateAfter(today, -HEALTH_DAYS)
  const health = await readHealthOf(view, tenant, { from, to: today })
  return {
    device: row,
    facts: factsOf(source, device),
    health: healthOf(
      health.find(({ device_id }) => device_id === device),
      today,
      { timeZone, nowMs },
    ),
  }
}

const noSuchDevice = (tenant: string, device: string): ApiError =>
  new ApiError(
    'unknown_device',
    `The home "${tenant}" has no device "${device}".`,
    'See /api/v1/devices for those that it has.',
  )

function registerChange(
  answer: Answerer,
  serving: Serving,
  {
    book,
    tenantOf,
    sourceOf,
  }: Pick<RouteOptions, 'book'> & {
    tenantOf(asked: string | undefined): Promise<string>
    sourceOf(tenant: string): Promise<DevicesSource>
  },
): void {
  answer('deviceChange', async (_query, request): Promise<AnswerOf<'deviceChange'>> => {
    const { tenant: asked, ...change } = request.body as {
      tenant?: string
      device: string
      merged_into?: string
    }
    if (!book)
      throw new ApiError(
        'change_unavailable',
        'This server only reads.',
        'Use the one that `up` starts, or smarthouse devices.',
      )
    const tenant = await tenantOf(asked)
    const view = await serving.reader.view(DEVICE_TABLES)
    const known = new Set(
      (await readDeviceRows(view, await sourceOf(tenant))).map(({ device_id }) => device_id),
    )
    for (const id of [change.device, change.merged_into ?? change.device])
      if (!known.has(id)) throw noSuchDevice(tenant, id)
    if (change.merged_into === change.device)
      throw new ApiError('bad_request', 'A device is not merged into itself.', 'Name another device.')
    try {
      const catalogue_version = await book.change(tenant, change)
      await serving.directory.read()
      return { tenant, device: change.device, catalogue_version }
    } catch (error) {
      if (isPlatformError(error) && error.code === 'config_invalid')
        throw new ApiError('change_unavailable', error.message, error.cure)
      throw error
    }
  })
}
