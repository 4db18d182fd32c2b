#!/usr/bin/env bash
# Builds the three-mail cart flow from an empty canvas with the mouse only, exports it to Klaviyo, and checks what came out.
# Needs Xvfb, xdotool and ImageMagick, and a built program: PROGRAM=target/debug/flowloom tests/hands/mouse.sh [PICTURES]
# Places are those of a window of 1600 by 1000.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/hands/studio.sh

begin
click 158 118                      # the gallery: an empty flow
look 1-empty
double 105 227                     # Abandonment
wheel_down 105 700 25              # the palette's end: logic and actions
for step in "93 614" "91 175" "93 614" "91 175" "93 614" "84 498"; do
    double $step                   # e-mail, delay, e-mail, delay, e-mail, exit: each behind the one before
done
click 1263 846                     # fit the flow
look 2-built
click 1537 26                      # Publish…
look 3-publish
click 1110 796                     # Export to a folder…
look 4-folder
click 985 581                      # Export here: a folder `export` is proposed
sleep 2
look 5-exported
finish
