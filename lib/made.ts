// What the classes that users hand back have in common: instanceof knows those that the library made. No class in particular.

const ordinary = Function.prototype[Symbol.hasInstance] as (this: unknown, value: unknown) => boolean;

/**
 * Its subclasses are told by a mark that their constructor sets. An object with the prototype of one alone, or a proxy, revoked perhaps, is none
 * of them: it has no values where the native part looks for them, and asking a revoked proxy for its prototype throws.
 */
export abstract class Made {
  readonly #made = true;

  static [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === "object" && value !== null && #made in value && ordinary.call(this, value);
  }
}
