#!/usr/bin/env bash
# Builds the three-mail cart flow from an empty canvas with the keyboard only, exports it to Klaviyo, and checks what came out.
# Needs Xvfb, xdotool and ImageMagick, and a built program: PROGRAM=target/debug/flowloom tests/hands/keyboard.sh [PICTURES]
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/hands/studio.sh

add() { press Insert; sleep 0.4; words "$1"; press Return; sleep 0.4; }

begin
press ctrl+n
sleep 1
look 1-empty
for step in abandonment e-mail delay e-mail delay e-mail exit; do add "$step"; done
press ctrl+0
look 2-built
press ctrl+e
sleep 1
look 3-publish
press shift+Tab                    # the last control of the page: Export to a folder…
look 3b-focus
press Return
sleep 1
look 4-folder
press Return                       # the proposed folder
sleep 2
look 5-exported
finish
