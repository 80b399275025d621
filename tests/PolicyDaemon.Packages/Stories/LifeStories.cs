using PolicyDaemon.Packages.Machines;

namespace PolicyDaemon.Packages.Stories;

/// <summary>Upgrade, downgrade, removal, reinstallation and purge; each story has a machine of its own.</summary>
public abstract class LifeStories(string suite) : IAsyncLifetime
{
    private const string Conf = "/etc/policydaemon/policydaemon.conf";

    private MailMachine? _mail;

    private MailMachine Mail => _mail ?? throw new InvalidOperationException("not booted");

    private Machine Machine => Mail.Machine;

    public async ValueTask InitializeAsync()
    {
        _mail = await MailMachine.BootAsync(suite);
        await Mail.InstallAsync(BuiltPackages.Deb);
        await Mail.PinPartnerAsync();
        await Mail.UsePolicyMapAsync(InstalledMachine.InetMap);
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (_mail is not null) await _mail.DisposeAsync();
    }

    [Fact]
    public async Task An_upgrade_and_a_downgrade_keep_store_and_configuration_and_lose_no_lookup()
    {
        await Machine.DoAsync($"sed -i 's/^near_miss = .*/near_miss = temp/' {Conf}; systemctl reload policyd");
        var version = await Machine.DoAsync("dpkg-query -W -f '${Version}' policydaemon");
        var pid = await Machine.DoAsync("systemctl show -P MainPID policyd");
        var load = await Load.StartAsync(Machine, InstalledMachine.InetMap);

        await Mail.InstallAsync(BuiltPackages.NextDeb);
        Assert.Equal(version + "+next", await Machine.DoAsync("dpkg-query -W -f '${Version}' policydaemon"));
        var upgraded = await Machine.DoAsync("systemctl show -P MainPID policyd");
        Assert.NotEqual(pid, upgraded);
        await Mail.ServesAsync("fingerprint");

        await Mail.InstallAsync(BuiltPackages.Deb);
        Assert.Equal(version, await Machine.DoAsync("dpkg-query -W -f '${Version}' policydaemon"));
        Assert.NotEqual(upgraded, await Machine.DoAsync("systemctl show -P MainPID policyd"));
        await Mail.ServesAsync("fingerprint");

        await load.RequireNoFailureAsync();
        Assert.Equal("near_miss = temp", await Machine.DoAsync($"grep ^near_miss {Conf}"));
        await Machine.DoAsync("policyctl audit --verify");
    }

    [Fact]
    public async Task A_program_older_than_the_store_refuses_it_and_mail_goes_on()
    {
        // What a version of some later year leaves behind.
        await Machine.DoAsync("systemctl stop policyd.service; cp -a /var/lib/policydaemon/policy.db /var/tmp/policy.db");
        await NewerSchemaAsync("/var/lib/policydaemon/policy.db");
        var refused = await Machine.RunAsync("policyctl", "domain", "list");
        Assert.Equal(5, refused.ExitCode);
        Assert.Contains("newer", refused.Error, StringComparison.Ordinal);
        var digest = await Machine.DoAsync("sha256sum </var/lib/policydaemon/policy.db");

        // The last good snapshot answers; the store stays as the newer program left it.
        await Machine.DoAsync("systemctl start policyd");
        await Mail.ServesAsync("fingerprint");
        Assert.Contains("status=sent", await Mail.SendAsync(), StringComparison.Ordinal);
        Assert.Equal(digest, await Machine.DoAsync("sha256sum </var/lib/policydaemon/policy.db"));
    }

    [Fact]
    public async Task Removal_warns_while_Postfix_still_asks_and_leaves_a_table_to_go_on_with()
    {
        var removal = await Machine.RunAsync("dpkg", "--remove", "policydaemon");
        Assert.Equal(0, removal.ExitCode);
        Assert.Contains("ALL outgoing mail is deferred", removal.Error, StringComparison.Ordinal);
        Assert.Contains($"partner.test fingerprint match={Mail.PartnerPin}", Unspaced(removal.Error), StringComparison.Ordinal);
        Assert.Contains("status=deferred (client TLS configuration problem)", await Mail.SendAsync(), StringComparison.Ordinal);

        // The printed commands, as they stand.
        var commands = removal.Error.Split('\n').Select(line => line.Trim())
            .Where(line => line.StartsWith("cp ", StringComparison.Ordinal) || line.StartsWith("post", StringComparison.Ordinal));
        await Machine.DoAsync(string.Join('\n', commands));
        var log = await Mail.SendAsync();
        Assert.Contains("Verified TLS connection established", log, StringComparison.Ordinal);
        Assert.Contains("status=sent", log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_store_survives_removal_and_reinstallation_does_not_make_another()
    {
        await Mail.UsePolicyMapAsync("");
        var removal = await Machine.RunAsync("dpkg", "--remove", "policydaemon");
        Assert.DoesNotContain("deferred", removal.Error, StringComparison.Ordinal);
        Assert.Equal("", await Machine.DoAsync("ss -Hltn 'sport = :8461'"));
        Assert.True(await Machine.SucceedsAsync($"test -s /var/lib/policydaemon/policy.db -a -s {Conf}"));

        await Mail.InstallAsync(BuiltPackages.Deb);
        await Mail.ServesAsync($"fingerprint match={Mail.PartnerPin}");
        await Machine.DoAsync("policyctl audit --verify");
    }

    [Fact]
    public async Task Reinstallation_over_a_lost_store_does_not_make_an_empty_one()
    {
        await Machine.DoAsync("dpkg --remove policydaemon 2>/dev/null; rm /var/lib/policydaemon/policy.db*");
        await Machine.RunAsync("dpkg", "--install", Machine.Bring(BuiltPackages.Deb));
        Assert.False(await Machine.SucceedsAsync("test -e /var/lib/policydaemon/policy.db"));
        // Never "not found" for a destination that was configured.
        Assert.DoesNotContain("status=sent", await Mail.SendAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Purge_leaves_nothing()
    {
        await Mail.ListenAsync(InstalledMachine.UnixEndpoint);
        await Mail.UsePolicyMapAsync("");
        await Machine.DoAsync("dpkg --purge policydaemon; systemctl daemon-reload");
        // Beside the journal, dpkg's own logs, what this test brought, and memory.
        Assert.Equal("", await Machine.DoAsync(
            """
            find / -xdev \( -path /proc -o -path /sys -o -path /tmp -o -path /var/tmp -o -path /var/log \) -prune -o \
                \( -iname '*policydaemon*' -o -iname 'policyd*' -o -iname '*policyctl*' \) -print
            """));
        Assert.Equal("", await Machine.DoAsync("getent passwd policydaemon || getent group policydaemon || true"));
        // A name that other units are ordered by stays known as "not-found"; without a file to list, newer systemctl exits with 1.
        Assert.Equal("", await Machine.DoAsync(
            "systemctl list-units --all --no-legend --state=loaded 'policyd*'; systemctl list-unit-files --no-legend 'policyd*' || true"));
        Assert.Equal("", await Machine.DoAsync("find / -xdev -path /proc -prune -o \\( -nouser -o -nogroup \\) -print"));
    }

    private static string Unspaced(string text) => string.Join(' ', text.Split(' ', '\t').Where(word => word.Length > 0));

    /// <summary>Marks a store as one of a later version; see src/PolicyDaemon.Store/Migrations for where the version stands.</summary>
    private async Task NewerSchemaAsync(string database)
    {
        var file = Machine.Root + database;
        await using var stream = new FileStream(file, FileMode.Open, FileAccess.ReadWrite);
        // https://www.sqlite.org/fileformat.html, section 1.3.14: user_version, 4 octets at offset 60, most significant first.
        stream.Position = 60;
        await stream.WriteAsync(new byte[] { 0, 0, 3, 231 }, TestContext.Current.CancellationToken);
    }
}

public sealed class LifeOnBookworm() : LifeStories("bookworm");

public sealed class LifeOnTrixie() : LifeStories("trixie");
