using System.Globalization;
using System.Text.RegularExpressions;
using PolicyDaemon.Packages.Machines;

namespace PolicyDaemon.Packages.Stories;

/// <summary>The status pages as an administrator finds them: installed and off, turned on with one command, confined, gone with the package.</summary>
public abstract partial class PageStories(string suite) : IAsyncLifetime
{
    private const string Ask = "curl --silent --show-error --fail --max-time 60 --unix-socket /run/policydaemon/web.sock";
    private const string TurnOn = "systemctl enable --now policyd-web.socket";

    private MailMachine? _mail;

    private MailMachine Mail => _mail ?? throw new InvalidOperationException("not booted");

    private Machine Machine => Mail.Machine;

    public async ValueTask InitializeAsync()
    {
        _mail = await MailMachine.BootAsync(suite);
        await Mail.InstallAsync(BuiltPackages.Deb);
        await Mail.PinPartnerAsync();
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (_mail is not null) await _mail.DisposeAsync();
    }

    [Fact]
    public async Task They_are_off_after_the_installation_and_one_command_turns_them_on()
    {
        Assert.Equal("inactive\ninactive", (await Machine.RunAsync("systemctl", "is-active", "policyd-web.socket", "policyd-web.service")).Output.Trim());
        Assert.Equal("disabled", (await Machine.RunAsync("systemctl", "is-enabled", "policyd-web.socket")).Output.Trim());
        Assert.False(await Machine.SucceedsAsync("test -e /run/policydaemon/web.sock"));

        await Machine.DoAsync(TurnOn);
        Assert.Equal("660 root policydaemon", await Machine.DoAsync("stat -c '%a %U %G' /run/policydaemon/web.sock"));
        Assert.Equal("inactive", (await Machine.RunAsync("systemctl", "is-active", "policyd-web.service")).Output.Trim());
        Assert.Contains("partner.test", await Machine.DoAsync($"{Ask} http://localhost/destinations"), StringComparison.Ordinal);
        Assert.Contains("policydaemon_up 1\npolicydaemon_store_up 1", Ups(await Machine.DoAsync($"{Ask} http://localhost/metrics")), StringComparison.Ordinal);
        Assert.Equal("active", await Machine.DoAsync("systemctl is-active policyd-web.service"));

        // Whoever may administer may look, and nobody else.
        await Machine.DoAsync("useradd --groups policydaemon member; useradd stranger");
        await Machine.DoAsync($"runuser -u member -- {Ask} http://localhost/ >/dev/null");
        Assert.False(await Machine.SucceedsAsync($"runuser -u stranger -- {Ask} http://localhost/"));
    }

    [Fact]
    public async Task They_are_confined_and_the_service_cannot_write_the_store()
    {
        await Machine.DoAsync($"{TurnOn}; {Ask} http://localhost/ >/dev/null");
        var report = await Machine.DoAsync("systemd-analyze security --no-pager policyd-web.service");
        var score = Score().Match(report);
        Assert.True(score.Success, report);
        Assert.True(double.Parse(score.Groups[1].Value, CultureInfo.InvariantCulture) <= 1.5, report);
        Assert.Equal("", await Machine.DoAsync("systemd-analyze verify policyd-web.service policyd-web.socket 2>&1 | grep -i policyd || true"));

        Assert.Equal("policyd-web policyd-web", await Machine.DoAsync("ps -o user:32=,group:32= -p $(systemctl show -P MainPID policyd-web) | awk '{ print $1, $2 }'"));
        // As the service sees it: its user, its groups, its mounts.
        var inside = "nsenter --target $(systemctl show -P MainPID policyd-web) --mount setpriv --reuid=policyd-web --regid=policyd-web --groups=$(getent group policydaemon | cut -d: -f3)";
        Assert.Equal("readable", await Machine.DoAsync($"{inside} sh -c 'test -r /var/lib/policydaemon/policy.db && echo readable'"));
        Assert.False(await Machine.SucceedsAsync($"{inside} sh -c 'echo >>/var/lib/policydaemon/policy.db'"));
        Assert.False(await Machine.SucceedsAsync($"{inside} touch /var/lib/policydaemon/new"));
        Assert.False(await Machine.SucceedsAsync($"{inside} touch /run/policydaemon/new"));
        Assert.False(await Machine.SucceedsAsync($"{inside} touch /tmp/new"));
        // No -dev package helped, and SQLite is the distribution's.
        Assert.Contains("libsqlite3.so.0", await Machine.DoAsync("cat /proc/$(systemctl show -P MainPID policyd-web)/maps"), StringComparison.Ordinal);
        Assert.Equal("", await Machine.DoAsync("journalctl -u policyd-web -p err --no-pager --quiet -o cat"));
    }

    [Fact]
    public async Task They_show_the_store_while_policyd_writes_is_down_and_is_back()
    {
        await Machine.DoAsync($"{TurnOn}; {Ask} http://localhost/ >/dev/null");
        await Machine.DoAsync("policyctl domain add first.example --level encrypt");
        Assert.Contains("first.example", await Machine.DoAsync($"{Ask} http://localhost/destinations"), StringComparison.Ordinal);

        // The last program that writes has taken the write-ahead log away, and policyd's directory stays for the socket.
        await Machine.DoAsync("systemctl stop policyd.service policyd.socket");
        Assert.Contains("policydaemon_up 0\npolicydaemon_store_up 1", Ups(await Machine.DoAsync($"{Ask} http://localhost/metrics")), StringComparison.Ordinal);
        await Machine.DoAsync("policyctl domain add second.example --level encrypt");
        Assert.Contains("second.example", await Machine.DoAsync($"{Ask} http://localhost/destinations"), StringComparison.Ordinal);

        await Machine.DoAsync("systemctl start policyd.socket policyd.service");
        await Mail.ServesAsync("fingerprint");
        Assert.Contains("policydaemon_up 1\npolicydaemon_store_up 1", Ups(await Machine.DoAsync($"{Ask} http://localhost/metrics")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Killed_it_is_started_again_by_whoever_looks_and_policyd_knows_nothing_of_it()
    {
        await Machine.DoAsync($"{TurnOn}; {Ask} http://localhost/ >/dev/null");
        var policyd = await Machine.DoAsync("systemctl show -P MainPID policyd");
        // What the prober says in between is not about the pages.
        const string said = "journalctl -u policyd --no-pager --quiet -o cat | grep -ic web || true";
        Assert.Equal("0", await Machine.DoAsync(said));
        for (var round = 0; round < 3; round++)
        {
            var web = await Machine.DoAsync("systemctl show -P MainPID policyd-web");
            await Machine.DoAsync($"kill -KILL {web}");
            await Machine.UntilAsync("it is started again", $"{Ask} http://localhost/ >/dev/null && [ $(systemctl show -P MainPID policyd-web) != {web} ]");
        }

        Assert.Equal(policyd, await Machine.DoAsync("systemctl show -P MainPID policyd"));
        Assert.Equal("0", await Machine.DoAsync(said));
        Assert.Equal("0", await Machine.DoAsync("systemctl show -P NRestarts policyd"));
        Assert.StartsWith("fingerprint", await Machine.DoAsync($"postmap -q partner.test {InstalledMachine.InetMap}"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task When_nobody_looks_it_ends_and_the_socket_stays()
    {
        await Machine.DoAsync("sed -i 's/^;idle = .*/idle = 2s/' /etc/policydaemon/policydaemon.conf");
        await Machine.DoAsync($"{TurnOn}; {Ask} http://localhost/ >/dev/null");
        await Machine.UntilAsync("it has ended by itself", "[ $(systemctl is-active policyd-web.service) = inactive ]");
        Assert.Equal("success", await Machine.DoAsync("systemctl show -P Result policyd-web"));
        await Machine.DoAsync($"{Ask} http://localhost/ >/dev/null");
    }

    [Fact]
    public async Task A_listener_on_loopback_is_held_by_systemd_too()
    {
        await Machine.DoAsync(
            """
            sed -i 's,^;listen = unix:/run/policydaemon/web.sock,listen = inet:127.0.0.1:8464,' /etc/policydaemon/policydaemon.conf
            systemctl daemon-reload
            systemctl enable --now policyd-web.socket
            """);
        Assert.Contains("\"systemd\"", await Machine.DoAsync("ss -Hltnp 'sport = :8464'"), StringComparison.Ordinal);
        Assert.Contains("policydaemon_up 1\n", await Machine.DoAsync("curl --silent --show-error --fail --max-time 60 http://127.0.0.1:8464/metrics"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_upgrade_keeps_them_on_or_off_and_removal_takes_them_along()
    {
        await Mail.InstallAsync(BuiltPackages.NextDeb);
        Assert.Equal("disabled", (await Machine.RunAsync("systemctl", "is-enabled", "policyd-web.socket")).Output.Trim());
        Assert.Equal("inactive", (await Machine.RunAsync("systemctl", "is-active", "policyd-web.socket")).Output.Trim());

        await Machine.DoAsync($"{TurnOn}; {Ask} http://localhost/ >/dev/null");
        var before = await Machine.DoAsync("systemctl show -P MainPID policyd-web");
        await Mail.InstallAsync(BuiltPackages.Deb);
        Assert.Equal("enabled", await Machine.DoAsync("systemctl is-enabled policyd-web.socket"));
        Assert.Equal("active", await Machine.DoAsync("systemctl is-active policyd-web.socket"));
        await Machine.DoAsync($"{Ask} http://localhost/ >/dev/null");
        Assert.NotEqual(before, await Machine.DoAsync("systemctl show -P MainPID policyd-web"));

        await Machine.DoAsync("dpkg --remove policydaemon; systemctl daemon-reload");
        Assert.Equal("", await Machine.DoAsync("pgrep -x policyd-web || true"));
        Assert.False(await Machine.SucceedsAsync("test -e /run/policydaemon"));
        Assert.Equal("", await Machine.DoAsync("systemctl list-units --all --no-legend --state=failed 'policyd*'"));

        await Machine.DoAsync("dpkg --purge policydaemon; systemctl daemon-reload");
        Assert.Equal("", await Machine.DoAsync("getent passwd policyd-web policydaemon || true; getent group policyd-web policydaemon || true"));
        Assert.Equal("", await Machine.DoAsync("find /etc/systemd /usr/lib/systemd /lib/systemd -name '*policyd*' || true"));
    }

    private static string Ups(string metrics) =>
        string.Join('\n', metrics.Split('\n').Where(line => line.StartsWith("policydaemon_up ", StringComparison.Ordinal) || line.StartsWith("policydaemon_store_up ", StringComparison.Ordinal)));

    [GeneratedRegex(@"Overall exposure level for policyd-web\.service: ([0-9.]+)")]
    private static partial Regex Score();
}

public sealed class PagesOnBookworm() : PageStories("bookworm");

public sealed class PagesOnTrixie() : PageStories("trixie");
