"""The two small scripts under `$AITOP_HOME` that other programs' settings call.

They are POSIX sh, or Perl where a status line is waited for. They stay where they are across upgrades, and once
the package is gone they exit 0 in silence (the status line then runs the user's own command alone). Text in, text
out: nothing here touches a file.
"""

import shlex
import textwrap

from aitop import paths

PERL, PYTHON = KINDS = ("perl", "python")

# Perl's own words only: a module costs more than Python's whole start, and a regular expression a tenth of it; so
# what is seldom needed is compiled where it is needed. Perl has no fine clock of its
# own, so the deadline is the sum of its waits (Linux: select says what is left; elsewhere: naps are
# counted, dearer than they are) and of its processor time; the alarm is the last resort.
# `leave` ends the program: 3 for "no listener", 0 for everything else.
_PERL_WAIT = r"""
    $SIG{PIPE} = "IGNORE"; $SIG{ALRM} = sub { leave(0) }; alarm 1 if !$own;
    $linux = $^O eq "linux"; $timed = $linux; $nap = 0.002;
    sub spend { my ($u, $s) = times; leave(0) if ($left -= $_[0]) <= $u + $s }
    sub rest { spend($timed ? $_[0] : $_[0] * 1.5 + 0.0003); select undef, undef, undef, $_[0] }
    sub ready {
      my ($r, $w) = @_; spend(0.00001);
      if ($timed) { my ($n, $t) = select $r, $w, undef, $left; $left = $t; leave(0) if !$n }
      else {
        eval q(
          my $z = 0.0002;
          until (select my $x = $r, my $y = $w, undef, 0) { rest($z); $z *= 2 if $z < 0.005 }
        )
      }
    }
"""
_PERL_SEND = r"""
    $data = "aitop/1\tprovider=claude-code";
    @pairs = ("event", $event, 64, "tag", $ENV{AITOP_TAG}, 256, "pid", $ENV{CLAUDE_PID}, 20,
      "pane", $ENV{TMUX_PANE}, 64, "config_dir", $ENV{CLAUDE_CONFIG_DIR}, 900, "answer", $answer, 200);
    while (($k, $v, $most) = splice @pairs, 0, 3) {
      next if !length $v;
      if (length $v > $most) {
        next if $k eq "config_dir"; $v = substr $v, 0, $most; eval q($v =~ s/[\xC0-\xFF]?[\x80-\xBF]*\z//);
        next if !length $v;
      }
      eval q($v = join "", map { tr/-A-Za-z0-9._~\/// ? $_ : sprintf "%%%02X", ord } split //, $v)
        if $v =~ tr/-A-Za-z0-9._~\///c;
      $data .= "\t$k=$v";
    }
    $data .= "\n"; $head = length $data; vec($in, 0, 1) = 1;
    do {
      ready($in) if !$own; $n = sysread STDIN, $data, 1048576, length $data;
      leave(0) if !defined $n || (length $data > 16781312 && !$own);
    } while $n;
    $whole = 1;
    eval q(opendir D, "." if $own; $path =~ s{^(.*)/}{} and chdir $1) if length $path > 100;
    socket S, 1, $linux ? 2049 : 1, 0 or leave(0); fcntl S, 4, 4 if !$linux;
    $where = $linux ? pack "Sa108", 1, $path : pack "CCa104", 106, 1, $path;
    until (connect S, $where) {
      leave(3) if $! != ($linux ? 11 : 35);
      rest($nap); $nap *= 2; $nap = $left if $nap > $left && $left > 0;
    }
    leave(0) if $linux && (unpack "i3", getsockopt S, 1, 17)[1] != $<;
    vec($out = "", fileno S, 1) = 1;
    for ($at = 0; $at < length $data; $at += $n) {
      ready(undef, $out); $n = syswrite S, $data, length($data) - $at, $at;
      if (!defined $n) { leave(0) if $! != ($linux ? 11 : 35); $n = 0 }
    }
"""
_PERL = rf"""
    ($path, $event, $report) = @ARGV; $left = 0.15;
    sub leave {{ exit($report ? $_[0] : 0) }}
    {_PERL_WAIT.strip()}
    {_PERL_SEND.strip()}
    exit 0
"""
# The status line is a program of Perl's: a shell in front of it would cost a third more. Alone it asks for an answer
# and prints it. Without one it prints what the listener prepared for this session, else it becomes the Python program
# that makes the line by itself, with what was read of stdin as its own. In front of a command it tells the listener
# and becomes that command, with the same stdin.
_STATUSLINE_PERL = r"""#!{perl}
# aitop: Claude Code's status line, alone or as `statusline -- COMMAND` in front of your own. Written
# by `aitop install`, which may write it again. Once the package is gone, your command runs alone.
BEGIN {{ $^H = 0; $^W = 0 }}
binmode STDIN; binmode STDOUT;
($package, $python, $home, $path, $boot) = ({quoted});
$event = "StatusLine"; $there = -e "$package/aitop/statusline.py"; $own = @ARGV > 1 && $ARGV[0] eq "--";
sub itself {{ exec $python, "-I", "-S", "-c", $boot, $package, "--home", $home, @_; exit 0 }}
sub command {{
  shift @ARGV; @ARGV = ("sh", "-c", @ARGV) if @ARGV == 1; exec {{ $ARGV[0] }} @ARGV;
  print STDERR "aitop statusline: $ARGV[0]: $!\n"; exit 127
}}
command() if $own && !$there;
exit 0 if !$there;
itself(@ARGV) if !$own && @ARGV && !(@ARGV == 2 && $ARGV[0] eq "--preset");
sub give {{
  my $said = substr $data, $head; pipe R, W;
  if (length $said > 16000 || !$whole) {{
    eval q(
      my $child = fork;
      if (defined $child && !$child) {{
        exit 0 if fork; close R; open STDOUT, ">/dev/null"; open STDERR, ">/dev/null"; alarm 2 if !$own;
        do {{
          my $at = 0; while ($at < length $said) {{ exit 0 if !($n = syswrite W, $said, 65536, $at); $at += $n }}
        }} while !$whole && sysread STDIN, $said, 65536;
        exit 0
      }}
      waitpid $child, 0 if defined $child
    )
  }}
  else {{ syswrite W, $said }}
  close W; open STDIN, "<&R"; close R
}}
sub leave {{
  $SIG{{ALRM}} = "DEFAULT"; alarm 0;
  if ($own) {{ close S; chdir D; give(); $SIG{{PIPE}} = "DEFAULT"; command() }}
  eval q(
    if ($variant !~ tr/-a-z//c && $data =~ /"session_id"\s*:\s*"([-A-Za-z0-9_]{{1,64}})"/) {{
      my $file = "$home/segments/status-$1$variant"; my $expiry = (stat $file)[9];
      if (defined $expiry && $expiry > time && open F, "<", $file) {{
        sysread F, my $text, 65536; if ($text =~ s/\A\d+ \d+ //) {{ syswrite STDOUT, $text; exit 0 }}
      }}
    }}
  );
  give(); $SIG{{PIPE}} = "DEFAULT"; itself("--no-listener", @ARGV)
}}
if ($own) {{ $left = 0.02 }}
else {{
  open STDERR, ">/dev/null"; $left = 0.06; $answer = "line"; $variant = "";
  if (@ARGV) {{ $answer .= ";preset=$ARGV[1]"; $variant = "-$ARGV[1]" }}
  $answer .= ";columns=$ENV{{COLUMNS}}" if length $ENV{{COLUMNS}};
  if (length $ENV{{NO_COLOR}}) {{ $answer .= ";no_color"; $variant .= "-plain" }}
}}
{wait}
{send}
leave(0) if $own;
shutdown S, 1; vec($back = "", fileno S, 1) = 1;
do {{ ready($back); $n = sysread S, $line, 65536, length $line; leave(0) if !defined $n }} while $n;
leave(0) if !length $line; syswrite STDOUT, $line; exit 0
"""
LONGEST_INTERPRETER = 100  # characters of a path that a system takes behind `#!`
# -c and not the file itself: Python keeps the compiled form of what is imported only.
_BOOT = (
    "import os,sys;sys.path.append(sys.argv.pop(1));"
    "from aitop.{module} import main;os._exit(main(sys.argv[1:]))"
)

_HOOK_HEAD = """\
#!/bin/sh
# aitop: forwards one Claude Code hook event (stdin) to the listener, as `hook [EVENT]`. Written by
# `aitop install`, which may write it again. Silent; exits 0; does nothing once the package is gone.
exec >/dev/null 2>&1
[ -e {package}/aitop/hook.py ] || exit 0
"""
_HOOK_PERL = """\
if [ -x {perl} ]; then
  unset PERL5OPT PERL5LIB PERL_UNICODE
  export LC_ALL=C
  program='{program}'
  {by_perl}
else
  [ -x {python} ] || exit 0
  {by_python}
fi
"""
_HOOK_PYTHON = """\
[ -x {python} ] || exit 0
{by_python}
"""
# Only a session's start may start the listener, and only when no listener answered (3).
_HOOK_LAUNCH = """\
if [ $? -eq 3 ] && [ "$1" = SessionStart ] && [ ! -e {home}/stopped ] && [ -x {python} ]; then
  {environment}{python} -I -S -c {boot} {package} --launch {launch} </dev/null &
fi
exit 0
"""
_STATUSLINE_HEAD = """\
#!/bin/sh
# aitop: Claude Code's status line, alone or as `statusline -- COMMAND` in front of your own. Written
# by `aitop install`, which may write it again. Once the package is gone, your command runs alone.
if [ -e {package}/aitop/statusline.py ] && [ -x {python} ]; then
"""
_STATUSLINE_PYTHON = """\
  exec {python} -I -S -c {boot} {package} --home {home} "$@"
fi
[ "$1" = -- ] || exit 0
shift
[ $# -gt 1 ] && exec "$@"
exec sh -c "$1"
"""


def hook(
    kind: str,
    *,
    home: str,
    python: str,
    package: str,
    perl: str = "",
    launch: list[str] | None = None,
    environment: dict[str, str] | None = None,
) -> str:
    """The forwarder. `launch`: the command that starts the listener; None when hooks may not."""
    words = _words(home, python, package, "hook")
    words |= {
        "perl": shlex.quote(perl),
        "program": textwrap.dedent(_PERL),
        "launch": shlex.join(launch or []),
        "environment": "".join(f"{k}={shlex.quote(v)} " for k, v in (environment or {}).items()),
    }
    socket = shlex.quote(f"{home}/{paths.SOCKET}")
    by_perl = f'{words["perl"]} -e "$program" {socket} "$1"'
    by_python = "{python} -I -S -c {boot} {package} --home {home}".format(**words)
    if launch:
        start, then = '[ "$1" = SessionStart ]', _HOOK_LAUNCH
        words["by_perl"] = f"{start} || exec {by_perl}\n  {by_perl} report"
        words["by_python"] = f'{start} || exec {by_python} "$1"\n  {by_python} --report "$1"'
    else:
        then = ""
        words["by_perl"] = f"exec {by_perl}"
        words["by_python"] = f'exec {by_python} "$1"'
    body = _HOOK_PERL if kind == PERL else _HOOK_PYTHON
    return "".join(part.format(**words) for part in (_HOOK_HEAD, body, then))


def quoted(path: str) -> str:
    """The path as it stands in the scripts."""
    return shlex.quote(path)


def statusline(kind: str, *, home: str, python: str, package: str, perl: str = "") -> str:
    """Claude Code's status line. With Perl the listener's answer is printed, else Python makes the line."""
    if kind == PERL and len(perl) <= LONGEST_INTERPRETER and not perl.isspace() and " " not in perl:
        boot = _BOOT.format(module="statusline")
        values = (package, python, home, f"{home}/{paths.SOCKET}", boot)
        return _STATUSLINE_PERL.format(
            perl=perl,
            quoted=", ".join(map(_perl_quoted, values)),
            wait=textwrap.dedent(_PERL_WAIT).strip(),
            send=textwrap.dedent(_PERL_SEND).strip(),
        )
    words = _words(home, python, package, "statusline")
    return (_STATUSLINE_HEAD + _STATUSLINE_PYTHON).format(**words)


def _perl_quoted(text: str) -> str:
    """As a literal of Perl's."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _words(home: str, python: str, package: str, module: str) -> dict[str, str]:
    return {
        "home": shlex.quote(home),
        "python": shlex.quote(python),
        "package": shlex.quote(package),
        "boot": shlex.quote(_BOOT.format(module=module)),
    }
