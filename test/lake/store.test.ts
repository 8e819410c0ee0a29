import { localStore } from '../../src/lake/index.ts'
import { storeContract } from './store.contract.ts'
import { temporaryFolder } from './temporary.ts'

storeContract('local store', async (t) => localStore(await temporaryFolder(t)))
