'use strict'

// An image is made smaller off the main thread, by a function that is written in place. The pixels
// are moved there and back, not copied.
//
// In place of: a file for one small function, and postMessage() with a transfer list.

const { Pool } = require('telar')

// A picture of 4 × 4 squares, as RGBA: 4 bytes for each pixel.
function checkerboard (size) {
  const pixels = new Uint8ClampedArray(size * size * 4)
  for (let i = 0; i < size * size; i++) {
    const [x, y] = [i % size, i / size].map((at) => Math.floor(at / (size / 4)))
    const isLight = (x + y) % 2 === 0
    pixels.set(isLight ? [255, 255, 255, 255] : [0, 0, 128, 255], i * 4)
  }
  return { pixels, width: size, height: size }
}

// Each pixel of the result is the mean of those that it replaces. The function uses nothing from
// outside: exec() would say so.
function resize ({ pixels, width, height }, factor) {
  const to = { width: Math.floor(width / factor), height: Math.floor(height / factor) }
  const result = new Uint8ClampedArray(to.width * to.height * 4)
  for (let y = 0; y < to.height; y++) {
    for (let x = 0; x < to.width; x++) {
      for (let channel = 0; channel < 4; channel++) {
        let sum = 0
        for (let dy = 0; dy < factor; dy++) {
          for (let dx = 0; dx < factor; dx++) {
            sum += pixels[((y * factor + dy) * width + x * factor + dx) * 4 + channel]
          }
        }
        result[(y * to.width + x) * 4 + channel] = sum / factor ** 2
      }
    }
  }
  return { ...to, pixels: result }
}

async function main () {
  const pool = new Pool({ maxThreads: 2 })
  const image = checkerboard(1024)
  const transferList = [image.pixels.buffer]
  const fn = resize
  const small = await pool.exec({ fn, transferList }, image, 256)
  console.log(`${small.width} × ${small.height} pixels, the first: ${small.pixels.slice(0, 4)}`)
  console.log(`the original has ${image.pixels.length} bytes left: it was moved`)

  // An error points to the line of resize() above.
  await pool.exec(resize, null, 2).catch(({ message }) => console.log(`TypeError: ${message}`))
  await pool.close()
}

main()
