namespace PolicyDaemon.Packages.Machines;

/// <summary>A root into which the host's rpm installs. Nothing is left of what a script does there.</summary>
internal static class RpmRoot
{
    /// <summary>Runs a shell script that finds the root, prepared with an empty rpm database, in <c>$root</c>.</summary>
    /// <remarks>
    /// The root is Debian's, for want of one that has rpm: dependencies are not resolved there but held against a list of their
    /// own. Everything else is as on a machine, without a running systemd, as in the installer of a distribution.
    /// </remarks>
    public static async Task<string> DoAsync(string script)
    {
        var lower = Path.Combine(Repository.Root, "artifacts", "machines", "bookworm");
        var result = await CommandLine.RunAsync(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "bash", "-euo", "pipefail", "-s"],
            $$"""
            exec 2>&1
            base=$(mktemp -d)
            mount -t tmpfs tmpfs "$base"
            mkdir "$base"/{upper,work,root}
            mount -t overlay -o "lowerdir={{lower}},upperdir=$base/upper,workdir=$base/work" overlay "$base/root"
            root=$base/root
            for device in null zero urandom; do
                [ -c "$root/dev/$device" ] || { : >"$root/dev/$device"; mount --bind "/dev/$device" "$root/dev/$device"; }
            done
            mount -t proc proc "$root/proc"
            trap 'cd /; umount -R "$base"; rmdir "$base"' EXIT
            rpm --root "$root" --initdb
            install_rpm() { rpm --root "$root" --nodeps "$@"; }
            {{script}}
            """);
        return result.Require().TrimEnd('\n');
    }
}
