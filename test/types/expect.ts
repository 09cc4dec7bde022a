// Checks of types, which fail to compile.

type Equal<A, B> =
  (<X>() => X extends A ? 1 : 2) extends (<X>() => X extends B ? 1 : 2) ? true : false

// The value has the type T.
function expectType<T> (_value: T): void {}

// A and B are the same type. The argument must be true.
function expectEqual<A, B> (_isEqual: Equal<A, B>): void {}

export { expectEqual, expectType }
