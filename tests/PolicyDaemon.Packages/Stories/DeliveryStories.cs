using PolicyDaemon.Packages.Machines;

namespace PolicyDaemon.Packages.Stories;

/// <summary>Real mail through the installed map, from a Postfix in its default chroot.</summary>
public abstract class DeliveryStories(InstalledMachine installed) : IAsyncLifetime
{
    private const string TcpTable = "tcp:127.0.0.1:8462";

    private Machine Machine => installed.Machine;

    private MailMachine Mail => installed.Mail;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await Mail.ListenAsync("inet:127.0.0.1:8461");
        await Mail.UsePolicyMapAsync(InstalledMachine.InetMap);
    }

    [Fact]
    public async Task Mail_is_delivered_over_tcp_to_the_pinned_server()
    {
        Assert.Equal("smtp/unix/chroot = y", await Machine.DoAsync("postconf -F smtp/unix/chroot"));
        AssertVerified(await Mail.SendAsync());
    }

    [Fact]
    public async Task Mail_is_delivered_over_the_unix_socket_inside_the_chroot()
    {
        await Mail.ListenAsync($"{InstalledMachine.UnixEndpoint}, inet:127.0.0.1:8461");
        Assert.Equal("2750 policydaemon postfix", await Machine.DoAsync("stat -c '%a %U %G' /var/spool/postfix/policydaemon"));
        Assert.Equal("660 policydaemon postfix", await Machine.DoAsync("stat -c '%a %U %G' /var/spool/postfix/policydaemon/socketmap"));
        await Mail.UsePolicyMapAsync(InstalledMachine.UnixMap);
        AssertVerified(await Mail.SendAsync());

        // Nobody else gets there.
        var nobody = await Machine.ShellAsync($"cd /var/spool/postfix && setpriv --reuid=nobody --regid=nogroup --clear-groups postmap -q partner.test {InstalledMachine.UnixMap}");
        Assert.NotEqual(0, nobody.ExitCode);
        Assert.Contains("Permission denied", nobody.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_instance_of_Postfix_has_a_socket_in_its_own_queue_directory()
    {
        await Mail.ListenAsync($"{InstalledMachine.UnixEndpoint}, unix:/var/spool/postfix-partner/policydaemon/socketmap, inet:127.0.0.1:8461");
        foreach (var queue in (string[])["postfix", "postfix-partner"])
        {
            Assert.StartsWith("fingerprint", await Machine.DoAsync(
                $"cd /var/spool/{queue} && runuser -u postfix -- postmap -q partner.test {InstalledMachine.UnixMap}"), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Mail_to_a_server_with_another_key_is_deferred_until_the_pin_is_there()
    {
        await Machine.DoAsync($"policyctl pin add partner.test {new string('a', 64)}; policyctl pin revoke partner.test {Mail.PartnerPin}");
        try
        {
            await Mail.ServesAsync($"fingerprint match={new string('a', 64)}");
            var log = await Mail.SendAsync();
            Assert.Contains("dsn=4.7.5", log, StringComparison.Ordinal);
            Assert.Contains("status=deferred (Server certificate not verified)", log, StringComparison.Ordinal);
        }
        finally
        {
            await Machine.DoAsync($"policyctl pin add partner.test {Mail.PartnerPin} --reason 'revoked by mistake'; policyctl pin revoke partner.test {new string('a', 64)}");
        }

        await Mail.ServesAsync($"fingerprint match={Mail.PartnerPin}");
        AssertVerified(await Mail.SendAsync());
    }

    [Fact]
    public async Task Setup_makes_Postfix_fit_and_its_way_back_takes_that_back()
    {
        await Machine.DoAsync("postconf -X smtp_tls_policy_maps; postconf -e smtp_tls_fingerprint_digest=md5; postfix reload");
        var main = await Machine.DoAsync("postconf -n");
        Assert.Equal(1, (await Machine.RunAsync("policyctl", "setup")).ExitCode);

        var applied = await Machine.RunAsync("policyctl", "setup", "--apply");
        Assert.True(applied.ExitCode == 0, applied.ToString());
        Assert.Contains($"+smtp_tls_policy_maps = {InstalledMachine.InetMap}", applied.Error, StringComparison.Ordinal);
        AssertVerified(await Mail.SendAsync());
        Assert.Equal(main, await Machine.DoAsync("cd /etc/postfix && mkdir -p /var/tmp/copy && cp master.cf /var/tmp/copy && cp main.cf.2* /var/tmp/copy/main.cf && postconf -c /var/tmp/copy -n | grep -v ^config_directory"));

        var wayBack = applied.Error.Split('\n').Where(line => line.StartsWith("    post", StringComparison.Ordinal)).Select(line => line.Trim()).ToList();
        Assert.NotEmpty(wayBack);
        await Machine.DoAsync(string.Join('\n', wayBack) + "\nrm /etc/postfix/main.cf.2*");
        Assert.Equal(main, await Machine.DoAsync("postconf -n"));
    }

    [Fact]
    public async Task While_the_service_is_stopped_mail_waits()
    {
        await Machine.DoAsync("systemctl stop policyd.service policyd.socket");
        try
        {
            Assert.Contains("status=deferred (client TLS configuration problem)", await Mail.SendAsync(), StringComparison.Ordinal);
        }
        finally
        {
            await Machine.DoAsync("systemctl start policyd");
        }

        AssertVerified(await Mail.SendAsync());
    }

    [Fact]
    public async Task Fifty_restarts_under_load_lose_no_lookup()
    {
        await Mail.ListenAsync($"inet:127.0.0.1:8461, {InstalledMachine.UnixEndpoint}", "inet:127.0.0.1:8462");
        var load = await Load.StartAsync(Machine, InstalledMachine.InetMap, InstalledMachine.UnixMap, TcpTable);
        var before = await Machine.DoAsync("systemctl show -P ExecMainStartTimestampMonotonic policyd");
        for (var round = 0; round < 10; round++)
            await Machine.DoAsync("for i in 1 2 3 4 5; do systemctl restart policyd; done");
        Assert.NotEqual(before, await Machine.DoAsync("systemctl show -P ExecMainStartTimestampMonotonic policyd"));
        var lookups = await load.RequireNoFailureAsync();
        // Enough to have met every restart.
        Assert.All(lookups.Take(2), count => Assert.True(count > 5000, $"only {count} lookups"));
        TestContext.Current.SendDiagnosticMessage($"lookups during 50 restarts: {string.Join(", ", lookups)}");
    }

    /// <summary>What the administrator does after a change of addresses, while Postfix goes on asking.</summary>
    [Fact]
    public async Task A_restart_of_the_sockets_never_finds_their_addresses_taken()
    {
        await Machine.DoAsync($"(while sleep 0.01; do postmap -q partner.test {InstalledMachine.InetMap} || :; done) >/dev/null 2>&1 & echo $! >/tmp/asking.pid");
        try
        {
            for (var round = 0; round < 6; round++)
                await Machine.DoAsync("for i in 1 2 3 4 5 6 7 8 9 10; do systemctl restart policyd.socket policyd.service; done");
        }
        finally
        {
            await Machine.DoAsync("kill $(cat /tmp/asking.pid)");
        }

        await Mail.ServesAsync("fingerprint");
    }

    private static void AssertVerified(string log)
    {
        Assert.Contains("Verified TLS connection established to partner.test[127.0.0.25]", log, StringComparison.Ordinal);
        Assert.Contains("status=sent", log, StringComparison.Ordinal);
    }
}

[Collection(typeof(Bookworm))]
public sealed class DeliveryOnBookworm(BookwormMachine machine) : DeliveryStories(machine);

[Collection(typeof(Trixie))]
public sealed class DeliveryOnTrixie(TrixieMachine machine) : DeliveryStories(machine);
