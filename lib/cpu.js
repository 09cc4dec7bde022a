'use strict'

// How many threads can make progress at once: the affinity mask, as Node knows
// it, and the CPU quota of the control groups this process is in, which Node
// reads only from version 22 on, and reads wrongly below one CPU.

const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')

// `root` is where proc and sys lie; tests give a folder of their own.
function read (root, file) {
  try {
    return fs.readFileSync(path.join(root, file), 'utf8')
  } catch {
    return '' // absent, not mounted, or forbidden: no limit is known
  }
}

// A mount of a control group hierarchy shows only the subtree below its root,
// which in a container is often the container's own group.
function parseMounts (text) {
  const mounts = []
  for (const line of text.split('\n')) {
    const [left, right] = line.split(' - ')
    if (right === undefined) continue
    const fields = left.split(' ')
    const [type, , options = ''] = right.split(' ')
    if (type !== 'cgroup' && type !== 'cgroup2') continue
    mounts.push({ type, root: unescapeMount(fields[3]), point: unescapeMount(fields[4]), options: options.split(',') })
  }
  return mounts
}

// mountinfo writes space, tab, newline and backslash as three octal digits.
function unescapeMount (text) {
  return text.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(parseInt(octal, 8)))
}

// From the group of this process up to the mount point: each ancestor may hold a quota.
function * groupFolders (mount, group) {
  const root = mount.root === '/' ? '' : mount.root
  let inside = group === root || group.startsWith(root + '/') ? group.slice(root.length) : ''
  while (inside.length > 1) {
    yield mount.point + inside
    inside = inside.slice(0, inside.lastIndexOf('/'))
  }
  yield mount.point
}

function ratio (quota, period) {
  const q = Number(quota)
  const p = Number(period)
  return q > 0 && p > 0 ? q / p : Infinity // `max`, -1 and an empty file mean: no limit
}

// The CPU quota in CPUs, maybe a fraction; Infinity when there is none.
function cpuQuota (root = '/') {
  const mounts = parseMounts(read(root, 'proc/self/mountinfo'))
  let quota = Infinity
  for (const line of read(root, 'proc/self/cgroup').split('\n')) {
    const match = /^\d+:([^:]*):(.*)$/.exec(line)
    if (match === null) continue
    const [, controllers, group] = match
    if (controllers === '') {
      const mount = mounts.find(({ type }) => type === 'cgroup2')
      if (mount === undefined) continue
      for (const folder of groupFolders(mount, group)) {
        const [max, period] = read(root, `${folder}/cpu.max`).trim().split(/\s+/)
        quota = Math.min(quota, ratio(max, period))
      }
    } else if (controllers.split(',').includes('cpu')) {
      const mount = mounts.find(({ type, options }) => type === 'cgroup' && options.includes('cpu'))
      if (mount === undefined) continue
      for (const folder of groupFolders(mount, group)) {
        quota = Math.min(quota, ratio(read(root, `${folder}/cpu.cfs_quota_us`), read(root, `${folder}/cpu.cfs_period_us`)))
      }
    }
  }
  return quota
}

let cached = 0

// At least 1. Rounded down, as newer versions of Node do: a thread more than
// the quota only gets the whole group throttled. Read once: pools must not
// disagree about the machine they run on.
function availableParallelism () {
  if (cached === 0) {
    const quota = process.platform === 'linux' ? cpuQuota() : Infinity
    cached = Math.max(1, Math.min(os.availableParallelism(), Math.floor(quota)))
  }
  return cached
}

module.exports = { availableParallelism, cpuQuota }
