import { QUARTER_S } from './climate.ts'
import { plugLoad } from './appliances.ts'
import { bulb, camera, motionSensor, plug, thermostat, type Physics } from './physics.ts'
import { createHouse, type House } from './house.ts'
import { seedOf } from './random.ts'

/** The five kinds of device of a house, in the order in which they are numbered. */
export const DEVICE_TYPES = [
  'thermostat',
  'smart_bulb',
  'smart_plug',
  'security_camera',
  'motion_sensor',
] as const
export type DeviceType = (typeof DEVICE_TYPES)[number]

/** Fields of a reading that the device itself says; what it does not know stands in the catalogue. */
type OwnField = 'location' | 'manufacturer' | 'model'

export interface Product {
  manufacturer: string
  model: string
  ratedPowerW: number
  says: readonly OwnField[]
}

export const PRODUCTS: Readonly<Record<DeviceType, Product>> = {
  thermostat: {
    manufacturer: 'Nordtherm',
    model: 'T2 Room',
    ratedPowerW: 2000,
    says: ['location', 'manufacturer', 'model'],
  },
  smart_bulb: {
    manufacturer: 'Lumina',
    model: 'E27 White',
    ratedPowerW: 9.5,
    says: ['manufacturer', 'model'],
  },
  smart_plug: { manufacturer: 'Voltara', model: 'P16', ratedPowerW: 3680, says: ['location'] },
  security_camera: {
    manufacturer: 'Argus',
    model: 'Outdoor C3',
    ratedPowerW: 12,
    says: ['location', 'manufacturer', 'model'],
  },
  motion_sensor: { manufacturer: 'Sensora', model: 'M1', ratedPowerW: 0.1, says: [] },
}

export interface Device {
  deviceId: string
  deviceType: DeviceType
  userId: string
  location: string
  product: Product
  seed: number
  powerMw: Int32Array
  physics: Physics
}

export interface Fleet {
  houses: readonly House[]
  devices: readonly Device[]
}

/** Devices 1 to `count`: five to a house, one house to a user; `thermostat_1` to `motion_sensor_1` belong to `user_1`. */
export function createFleet(count: number, seed: number): Fleet {
  const houses: House[] = []
  const devices: Device[] = []
  for (let i = 0; i < count; i += 1) {
    const deviceType = DEVICE_TYPES[i % DEVICE_TYPES.length]!
    const houseIndex = Math.floor(i / DEVICE_TYPES.length) + 1
    if (houses.length < houseIndex) houses.push(createHouse(seed, houseIndex))
    devices.push(createDevice(deviceType, houses[houseIndex - 1]!))
  }
  return { houses, devices }
}

function createDevice(deviceType: DeviceType, house: House): Device {
  const deviceId = `${deviceType}_${house.index}`
  const seed = seedOf(house.seed, deviceType)
  return {
    deviceId,
    deviceType,
    userId: `user_${house.index}`,
    product: PRODUCTS[deviceType],
    seed,
    powerMw: new Int32Array(QUARTER_S),
    ...physicsOf(deviceType, house, seed),
  }
}

function physicsOf(
  deviceType: DeviceType,
  house: House,
  seed: number,
): { physics: Physics; location: string } {
  const odd = house.index % 2 === 1
  switch (deviceType) {
    case 'thermostat':
      return { physics: thermostat(house, seed), location: 'Living Room' }
    case 'smart_bulb':
      return {
        physics: bulb(house, seed, odd ? 'living' : 'kitchen'),
        location: odd ? 'Living Room' : 'Kitchen',
      }
    case 'smart_plug': {
      const { load, location } = plugLoad(house.index, seed)
      return { physics: plug(house, seed, load), location }
    }
    case 'security_camera':
      return { physics: camera(seed), location: odd ? 'Front Door' : 'Garden' }
    case 'motion_sensor':
      return {
        physics: motionSensor(house, seed, odd ? 'hall' : 'living'),
        location: odd ? 'Hallway' : 'Living Room',
      }
  }
}
