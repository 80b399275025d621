using System.Globalization;
using System.Text.RegularExpressions;
using PolicyDaemon.Packages.Machines;

namespace PolicyDaemon.Packages.Stories;

/// <summary>What an administrator finds after the installation.</summary>
public abstract partial class InstallationStories(InstalledMachine installed)
{
    private Machine Machine => installed.Machine;

    private MailMachine Mail => installed.Mail;

    [Fact]
    public async Task The_service_runs_with_its_sockets_and_answers()
    {
        Assert.Equal("active\nactive\nactive", await Machine.DoAsync("systemctl is-active policyd.service policyd.socket policyd-alert.socket"));
        Assert.Equal("enabled\nenabled\nenabled", await Machine.DoAsync("systemctl is-enabled policyd.service policyd.socket policyd-alert.socket"));
        Assert.StartsWith("fingerprint match=", await Machine.DoAsync($"postmap -q partner.test {InstalledMachine.InetMap}"), StringComparison.Ordinal);
        // Held by systemd, served by the daemon.
        var listening = await Machine.DoAsync("ss -Hltnp 'sport = :8461'");
        Assert.Contains("\"systemd\"", listening, StringComparison.Ordinal);
        Assert.Contains("\"policyd\"", listening, StringComparison.Ordinal);
        Assert.Equal("0", (await Machine.RunAsync("policyctl", "status")).ExitCode.ToString(CultureInfo.InvariantCulture));
    }

    [Fact]
    public async Task The_libraries_are_the_distributions()
    {
        var mapped = await Machine.DoAsync("cat /proc/$(systemctl show -P MainPID policyd)/maps");
        Assert.Contains("libsqlite3.so.0", mapped, StringComparison.Ordinal);
        Assert.DoesNotContain("e_sqlite3", mapped, StringComparison.Ordinal);
        // No -dev package helped.
        Assert.Equal("", await Machine.DoAsync("dpkg-query -W -f '${Package} ${Status}\\n' | awk '$1 ~ /-dev$/ && $NF == \"installed\"'"));
    }

    [Fact]
    public async Task State_belongs_to_the_service_and_its_group()
    {
        Assert.Equal("2770 policydaemon policydaemon", await Machine.DoAsync("stat -c '%a %U %G' /var/lib/policydaemon"));
        Assert.Equal("660 policydaemon policydaemon", await Machine.DoAsync("stat -c '%a %U %G' /var/lib/policydaemon/policy.db"));
        Assert.Equal("644 root root", await Machine.DoAsync("stat -c '%a %U %G' /etc/policydaemon/policydaemon.conf"));
        // Nothing has more rights than its user.
        Assert.Equal("", await Machine.DoAsync("dpkg -L policydaemon | xargs -d '\\n' -I F find F -maxdepth 0 -perm /6000"));
    }

    [Fact]
    public async Task A_member_of_the_group_administers_and_others_may_not()
    {
        await Machine.DoAsync("useradd --groups policydaemon member; useradd stranger");
        await Machine.DoAsync("runuser -u member -- policyctl domain add member.example --level encrypt");
        await Machine.UntilAsync("the change is served", $"[ \"$(postmap -q member.example {InstalledMachine.InetMap})\" = encrypt ]");
        // Root and the service still write what the member left.
        await Machine.DoAsync("policyctl domain set member.example --level secure");
        await Machine.DoAsync("runuser -u policydaemon -- policyctl domain remove member.example --reason 'end of the test'");

        var refused = await Machine.RunAsync("runuser", "-u", "stranger", "--", "policyctl", "domain", "list");
        Assert.Equal(4, refused.ExitCode);
    }

    [Fact]
    public async Task The_sandbox_scores_one_and_a_half_or_better()
    {
        var report = await Machine.DoAsync("systemd-analyze security --no-pager policyd.service");
        var score = Score().Match(report);
        Assert.True(score.Success, report);
        Assert.True(double.Parse(score.Groups[1].Value, CultureInfo.InvariantCulture) <= 1.5, report);
    }

    [Fact]
    public async Task The_thread_that_answers_has_its_short_slice_inside_the_sandbox()
    {
        // Linux 6.12 and later; where the kernel does not tell, that it runs at all is what is left to see.
        var told = await Machine.DoAsync(
            """
            for thread in /proc/$(pidof policyd)/task/*; do
                if [ "$(cat "$thread/comm")" = lookups ]; then echo found; grep -E '^se\.slice' "$thread/sched" || true; fi
            done
            """);
        Assert.StartsWith("found", told, StringComparison.Ordinal);
        if (Environment.OSVersion.Version >= new Version(6, 12) && told.Contains("se.slice", StringComparison.Ordinal))
            Assert.Matches(@"se\.slice\s*:\s*100000\b", told);
    }

    [Fact]
    public async Task The_prober_works_inside_the_sandbox() =>
        await Machine.UntilAsync(
            "the prober probes the destinations",
            "policyctl status --all | grep -E '^prober[[:blank:]]+probes [1-9]' && ! journalctl -u policyd | grep -E ' (3011|3012|3018|4004) '");

    [Fact]
    public async Task A_finding_is_told_by_a_command_outside_the_sandbox()
    {
        await Machine.DoAsync(
            """
            cat >/usr/local/bin/pager <<'END'
            #!/bin/sh
            logger -t pager "$POLICYDAEMON_EVENT $POLICYDAEMON_KIND $POLICYDAEMON_SUBJECT as $(id -un) $(grep NoNewPrivs /proc/self/status | tr -d '\t')"
            END
            chmod 755 /usr/local/bin/pager
            cp /etc/policydaemon/policydaemon.conf /var/tmp/before-pager.conf
            sed -i 's,^;alert_command =.*,alert_command = /usr/local/bin/pager,' /etc/policydaemon/policydaemon.conf
            systemctl reload policyd
            policyctl domain add pager.example --level encrypt
            """);
        try
        {
            // Asked before that is served it would be no near miss.
            await Machine.UntilAsync("the entry is served", $"[ \"$(postmap -q pager.example {InstalledMachine.InetMap})\" = encrypt ]");
            await Machine.DoAsync($"postmap -q '[pager.example]:587' {InstalledMachine.InetMap} || true");
            await Machine.UntilAsync(
                "the finding is told",
                "journalctl -t pager | grep -F 'opened near-miss [pager.example]:587 as policydaemon NoNewPrivs:0'");

            await Machine.DoAsync("policyctl domain add '[pager.example]:587' --level encrypt");
            await Machine.UntilAsync("its end is told", "journalctl -t pager | grep -F 'settled near-miss [pager.example]:587'");
            Assert.Equal("", await Machine.DoAsync("systemctl list-units --no-legend --failed 'policyd*'"));
        }
        finally
        {
            await Machine.DoAsync(
                """
                cp /var/tmp/before-pager.conf /etc/policydaemon/policydaemon.conf
                systemctl reload policyd
                policyctl domain remove pager.example --reason 'end of the test' || true
                policyctl domain remove '[pager.example]:587' --reason 'end of the test' || true
                """);
        }
    }

    /// <summary>What the collector of node_exporter reads; whether there is one is the administrator's matter, so the timer is off.</summary>
    [Fact]
    public async Task The_timer_of_the_metrics_is_off_and_its_service_writes_them()
    {
        Assert.Equal("disabled", (await Machine.RunAsync("systemctl", "is-enabled", "policydaemon-textfile.timer")).Output.Trim());
        await Machine.DoAsync("mkdir -p /var/lib/prometheus/node-exporter && systemctl start policydaemon-textfile.service");
        Assert.Equal("644 root", await Machine.DoAsync("stat -c '%a %U' /var/lib/prometheus/node-exporter/policydaemon.prom"));
        Assert.Equal(
            "policydaemon_up 1\npolicydaemon_store_up 1",
            await Machine.DoAsync("grep -E '^policydaemon_(store_)?up ' /var/lib/prometheus/node-exporter/policydaemon.prom"));
    }

    [Fact]
    public async Task The_units_are_free_of_complaints() =>
        Assert.Equal("", await Machine.DoAsync("systemd-analyze verify policyd.service policyd.socket policyd-alert.socket policyd-alert@.service policydaemon-textfile.service policydaemon-textfile.timer 2>&1 | grep -i policyd || true"));

    [Fact]
    public async Task A_daemon_that_hangs_is_started_again()
    {
        await Machine.DoAsync(
            """
            mkdir -p /run/systemd/system/policyd.service.d
            printf '[Service]\nWatchdogSec=2s\n' >/run/systemd/system/policyd.service.d/test.conf
            systemctl daemon-reload
            systemctl restart policyd
            kill -STOP $(systemctl show -P MainPID policyd)
            """);
        try
        {
            await Machine.UntilAsync("the watchdog has ended it", "[ $(systemctl show -P NRestarts policyd) -ge 1 ]");
            await Mail.ServesAsync("fingerprint");
        }
        finally
        {
            await Machine.DoAsync("rm /run/systemd/system/policyd.service.d/test.conf; systemctl daemon-reload; systemctl restart policyd");
        }
    }

    [Fact]
    public async Task A_reload_with_an_error_in_the_file_fails_and_the_daemon_goes_on()
    {
        var pid = await Machine.DoAsync("systemctl show -P MainPID policyd");
        await Machine.DoAsync("cp /etc/policydaemon/policydaemon.conf /var/tmp/good.conf; echo 'colour = blue' >>/etc/policydaemon/policydaemon.conf");
        try
        {
            Assert.NotEqual(0, (await Machine.RunAsync("systemctl", "reload", "policyd")).ExitCode);
            await Machine.UntilAsync(
                "the journal names the line",
                "journalctl -u policyd | grep -Eq 'policydaemon.conf:[0-9]*: [a-z]+\\.colour: there is no such key'");
            Assert.Equal(pid, await Machine.DoAsync("systemctl show -P MainPID policyd"));
            Assert.StartsWith("fingerprint", await Machine.DoAsync($"postmap -q partner.test {InstalledMachine.InetMap}"), StringComparison.Ordinal);
        }
        finally
        {
            await Machine.DoAsync("cp /var/tmp/good.conf /etc/policydaemon/policydaemon.conf");
        }

        await Machine.DoAsync("systemctl reload policyd");
        Assert.Equal(pid, await Machine.DoAsync("systemctl show -P MainPID policyd"));
    }

    [Fact]
    public async Task A_listener_of_systemd_that_the_configuration_does_not_name_is_an_error_with_the_way_out()
    {
        await Machine.DoAsync("cp /etc/policydaemon/policydaemon.conf /var/tmp/good.conf; sed -i 's/^socketmap = .*/socketmap = inet:127.0.0.1:9999/' /etc/policydaemon/policydaemon.conf");
        try
        {
            Assert.NotEqual(0, (await Machine.RunAsync("systemctl", "restart", "policyd")).ExitCode);
            await Machine.UntilAsync(
                "the journal says what to do",
                "journalctl -u policyd | grep -q '127.0.0.1:8461.*systemctl daemon-reload && systemctl restart policyd.socket'");
            // As the message says.
            await Machine.DoAsync("systemctl daemon-reload && systemctl restart policyd.socket && systemctl start policyd");
            Assert.StartsWith(
                "fingerprint", await Machine.DoAsync("postmap -q partner.test socketmap:inet:127.0.0.1:9999:tlspolicy"), StringComparison.Ordinal);
        }
        finally
        {
            await Machine.DoAsync(
                "cp /var/tmp/good.conf /etc/policydaemon/policydaemon.conf; systemctl daemon-reload; systemctl restart policyd.socket; systemctl start policyd");
        }

        await Mail.ServesAsync("fingerprint");
    }

    [Fact]
    public async Task The_shells_complete_commands_and_destinations()
    {
        const string bash = """
            source /usr/share/bash-completion/bash_completion
            source /usr/share/bash-completion/completions/policyctl
            complete_line() {
                COMP_LINE=$1 COMP_POINT=${#1} COMPREPLY=()
                read -ra COMP_WORDS <<<"$1"
                [[ $1 != *' ' ]] || COMP_WORDS+=('')
                COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
                _policyctl
                printf '%s\n' "${COMPREPLY[@]}"
            }
            set +eu
            """;
        Assert.Contains("domain", (await Machine.DoAsync(bash + "\ncomplete_line 'policyctl do'")).Split('\n'));
        Assert.Contains("--level", (await Machine.DoAsync(bash + "\ncomplete_line 'policyctl domain add example.com --le'")).Split('\n'));
        Assert.Contains("partner.test", (await Machine.DoAsync(bash + "\ncomplete_line 'policyctl domain show par'")).Split('\n'));
        Assert.Contains("domain", (await Machine.DoAsync("fish -c \"complete -C 'policyctl do'\"")).Split('\n', '\t'));
        Assert.Contains("partner.test", (await Machine.DoAsync("fish -c \"complete -C 'policyctl explain par'\"")).Split('\n', '\t'));
        await Machine.DoAsync("zsh -n /usr/share/zsh/vendor-completions/_policyctl");
    }

    [GeneratedRegex(@"Overall exposure level for policyd\.service: ([0-9.]+)")]
    private static partial Regex Score();
}

[Collection(typeof(Bookworm))]
public sealed class InstallationOnBookworm(BookwormMachine machine) : InstallationStories(machine);

[Collection(typeof(Trixie))]
public sealed class InstallationOnTrixie(TrixieMachine machine) : InstallationStories(machine);
