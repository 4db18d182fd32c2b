# What the scripts of this folder share: a screen, the studio on it, counted actions, pictures.
program=$(realpath "${PROGRAM:-target/debug/flowloom}")
pictures=$(realpath -m "${1:-$(mktemp -d)}")
work=$(mktemp -d)
actions=0
mkdir -p "$pictures"

begin() {
    Xvfb -displayfd 3 -screen 0 1600x1000x24 -nolisten tcp 3>"$work/display" >/dev/null 2>&1 &
    screen=$!
    for _ in $(seq 80); do [ -s "$work/display" ] && break; sleep 0.25; done
    export DISPLAY=:$(cat "$work/display")
    cd "$work"
    HOME=$work XDG_CONFIG_HOME=$work/config XDG_STATE_HOME=$work/state "$program" "$@" >"$work/log" 2>&1 &
    studio=$!
    trap 'kill $studio $screen 2>/dev/null || true' EXIT
    for _ in $(seq 60); do
        window=$(xdotool search --name Flowloom 2>/dev/null | tail -n 1) && [ -n "$window" ] && break
        sleep 0.5
    done
    sleep 3
    xdotool windowfocus "$window"
}

act() { actions=$((actions + 1)); sleep "${1:-0.9}"; }
click() { xdotool mousemove "$1" "$2"; sleep 0.2; xdotool click 1; act; }
double() { xdotool mousemove "$1" "$2"; sleep 0.2; xdotool click --repeat 2 --delay 80 1; act; }
wheel_down() { xdotool mousemove "$1" "$2"; for _ in $(seq "$3"); do xdotool click 5; done; act; }
press() { xdotool key --window "$window" "$@"; act 0.5; }
words() { xdotool type --delay 25 "$1"; act 0.5; }
look() { import -window root "$pictures/$1.png"; }

# The flow has a trigger, three mails with two delays between them, and an exit; its export is whole.
finish() {
    body=$work/export/flow.json
    [ -s "$body" ] || { echo "nothing was exported; pictures in $pictures" >&2; exit 1; }
    mails=$(grep -c '"type": "send-email"' "$body") delays=$(grep -c '"type": "time-delay"' "$body")
    templates=$(find "$work/export/templates" -name '*.html' | wc -l)
    echo "$actions actions; $mails mails, $delays delays, $templates templates; pictures in $pictures"
    [ "$mails" = 3 ] && [ "$delays" -ge 2 ] && [ "$templates" = 3 ]
}
