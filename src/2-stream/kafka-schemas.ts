/**
 * The client library compiles the schemas of all of its options when it is loaded, some fifty of them: half of the computing time
 * of its start, in every process, for the few that are ever used. Imported before the library, this has each compiled when it is first
 * asked; {@link loaded} ends that.
 */
import { createRequire } from 'node:module'

interface Validate {
  (data: unknown): boolean
  errors?: unknown
}
interface Compiler {
  compile(schema: object): Validate
}

// The very one that the library uses, wherever it lies.
const require = createRequire(import.meta.resolve('@platformatic/kafka'))
const { prototype } = (require('ajv/dist/2020.js') as { Ajv2020: { prototype: Partial<Compiler> } }).Ajv2020
/** Inherited. */
const compile = prototype.compile!

prototype.compile = function (this: Compiler, schema: object) {
  let made: Validate | undefined
  const validate: Validate = (data) => {
    made ??= compile.call(this, schema)
    const isValid = made(data)
    validate.errors = made.errors
    return isValid
  }
  return validate
}

/** From now on schemas are compiled at once again, by the inherited method. */
export function loaded(): void {
  delete prototype.compile
}
