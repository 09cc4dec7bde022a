// A task file, whose type is given to proxy().

export interface Image { data: Uint8Array, width: number, height: number }

export async function resize (image: Image, width: number, quality = 1): Promise<Image> {
  return { ...image, width: width * quality }
}

export const add = (a: number, b: number): number => a + b

export function * count (to: number): Generator<number> {
  for (let i = 0; i < to; i++) yield i
}

export async function * pages (): AsyncGenerator<string> {
  yield 'page'
}

export const limit = 5
