# Sourced by mvnw and weft: exports JAVA_HOME as a JDK 25 or later, wherever the default `java` points.
# Looked at in order: JAVA_HOME, the javac on the PATH, then the places where JDKs are usually installed.
_need=${WEFTLINE_JDK:-25}
_version() { sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$1/release" 2>/dev/null; }
case $- in *f*) _noglob=1; set +f ;; *) _noglob= ;; esac # mvnw runs with noglob, the list below globs
_onpath=$(command -v javac 2>/dev/null || :)
[ -z "$_onpath" ] || _onpath=$(dirname "$(dirname "$(readlink -f "$_onpath")")")
for _dir in "${JAVA_HOME:-}" "$_onpath" "${JAVA_HOME_25_X64:-}" /usr/lib/jvm/* /opt/java/openjdk /opt/*jdk* \
  "$HOME"/.jdks/* "$HOME"/.sdkman/candidates/java/* /Library/Java/JavaVirtualMachines/*/Contents/Home; do
  if [ -x "$_dir/bin/javac" ] && _found=$(_version "$_dir") && [ "${_found:-0}" -ge "$_need" ]; then
    JAVA_HOME=$_dir
    export JAVA_HOME
    break
  fi
done
[ -z "$_noglob" ] || set -f
if ! [ "$(_version "${JAVA_HOME:-/nonexistent}")" -ge "$_need" ] 2>/dev/null; then
  echo "Weftline needs a JDK $_need or later and found none. Install one (for example Eclipse Temurin $_need)," >&2
  echo "or point JAVA_HOME at it, and run this again." >&2
  exit 1
fi
