#!/bin/sh
# The suite starts one program without arguments. This is it: what to test is in the environment, with flags of Node.js.
exec "$NODE" $FLAGS --import tsx --conditions=@sluice/source "$(dirname "$0")/testee.ts"
