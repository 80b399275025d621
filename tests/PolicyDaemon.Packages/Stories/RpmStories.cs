using PolicyDaemon.Packages.Machines;

namespace PolicyDaemon.Packages.Stories;

/// <summary>The rpm: what it contains and needs, and its scripts in a root of their own.</summary>
public sealed class RpmStories
{
    private static readonly string Rpm = BuiltPackages.Rpm;

    [Fact]
    public async Task What_it_needs_is_in_every_distribution_of_the_class_of_RHEL_9()
    {
        var requires = await HostAsync("rpm", "-qp", "--requires", Rpm);
        // Sonames and packages of RHEL 9: glibc 2.34, openssl-libs 3, sqlite-libs 3.34, systemd 252.
        string[] known =
        [
            "/bin/sh", "libc.so.6(GLIBC_2.34)(64bit)", "libm.so.6()(64bit)", "libcrypto.so.3()(64bit)", "libssl.so.3()(64bit)",
            "libsqlite3.so.0()(64bit)", "shadow-utils", "systemd", "systemd >= 249", "util-linux",
        ];
        Assert.Empty(requires.Where(line => !line.StartsWith("rpmlib(", StringComparison.Ordinal)).Except(known));
    }

    [Fact]
    public async Task Files_belong_to_root_and_have_no_capabilities_or_set_id_bits()
    {
        Assert.All(await HostAsync("rpm", "-qp", "--qf", "[%{FILEMODES:perms} %{FILEUSERNAME} %{FILEGROUPNAME} %{FILENAMES}\n]", Rpm), line =>
        {
            if (line.EndsWith(" /var/lib/policydaemon", StringComparison.Ordinal))
                Assert.Equal("drwxrws--- policydaemon policydaemon /var/lib/policydaemon", line);
            else
                Assert.Matches("^[-d]rw[-x]r-[-x]r-[-x] root root /", line);
        });
        Assert.All(await HostAsync("rpm", "-qp", "--filecaps", Rpm), line => Assert.DoesNotContain("=", line, StringComparison.Ordinal));
        Assert.Equal(["/etc/policydaemon/policydaemon.conf"], await HostAsync("rpm", "-qp", "--configfiles", Rpm));
    }

    [Fact]
    public async Task It_holds_the_same_programs_units_and_pages_as_the_deb()
    {
        static string Plain(string file) => file.Replace("vendor-completions", "site-functions", StringComparison.Ordinal);
        var deb = (await HostAsync("sh", "-c", $"dpkg-deb --fsys-tarfile '{BuiltPackages.Deb}' | tar -t | grep -v '/$' | sed 's/^\\.//'"))
            .Select(Plain).Except(["/usr/share/doc/policydaemon/changelog.gz", "/usr/share/doc/policydaemon/copyright"]);
        var rpm = (await HostAsync("sh", "-c", $"rpm -qp --qf '[%{{FILEMODES:perms}} %{{FILENAMES}}\\n]' '{Rpm}' | sed -n 's/^-[^ ]* //p'"))
            .Except(["/usr/share/licenses/policydaemon/LICENSE"]);
        Assert.Equal(deb.Order(StringComparer.Ordinal), rpm.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Installation_makes_user_directory_and_store()
    {
        var said = await RpmRoot.DoAsync(
            $"""
            install_rpm -i '{Rpm}'
            chroot "$root" stat -c '%a %U %G %n' /var/lib/policydaemon /var/lib/policydaemon/policy.db
            chroot "$root" policyctl domain add example.com --level encrypt
            chroot "$root" policyctl --format tsv domain list
            chroot "$root" policyctl --version
            rpm --root "$root" -V --nodeps policydaemon
            """);
        Assert.Contains("2770 policydaemon policydaemon /var/lib/policydaemon\n660 policydaemon policydaemon /var/lib/policydaemon/policy.db", said, StringComparison.Ordinal);
        Assert.Contains("\nexample.com\tencrypt\t", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Upgrade_and_removal_keep_the_store_and_an_edited_configuration()
    {
        var said = await RpmRoot.DoAsync(
            $"""
            install_rpm -i '{Rpm}'
            chroot "$root" policyctl domain add example.com --level encrypt >/dev/null
            echo '; mine' >>"$root/etc/policydaemon/policydaemon.conf"
            install_rpm -U '{BuiltPackages.NextRpm}'
            tail -n 1 "$root/etc/policydaemon/policydaemon.conf"
            chroot "$root" policyctl domain show example.com >/dev/null && echo kept
            install_rpm -U --oldpackage '{Rpm}'
            chroot "$root" policyctl domain show example.com >/dev/null && echo kept again
            install_rpm -e policydaemon
            test ! -e "$root/usr/sbin/policyd" && test -s "$root/var/lib/policydaemon/policy.db" && echo store left
            tail -n 1 "$root/etc/policydaemon/policydaemon.conf.rpmsave"
            """);
        Assert.Matches("(?s); mine\n.*kept\n.*kept again\n.*store left\n; mine$", said);
    }

    [Fact]
    public async Task Rpmlint_has_no_complaint_that_is_not_explained()
    {
        var result = await CommandLine.RunAsync(["rpmlint", "-c", Path.Combine(Repository.Root, "packaging", "rpm", "rpmlint.toml"), Rpm]);
        Assert.True(result.ExitCode == 0 && result.Output.Contains("0 errors, 0 warnings", StringComparison.Ordinal), result.ToString());
    }

    private static async Task<IReadOnlyList<string>> HostAsync(params string[] command) =>
        (await CommandLine.RunAsync(command)).Require().Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}
