'use strict'

exports.double = (n) => n * 2
exports.echo = (value) => value
exports.fail = () => { throw new RangeError('out of range') }
