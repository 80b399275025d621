using System.Net;
using PolicyDaemon.Administration.Doctor;
using PolicyDaemon.Probe.Dns;
using PolicyDaemon.Tests.Cli;
using Xunit;

namespace PolicyDaemon.Tests.Administration.Doctor;

public sealed class ResolverCheckTests
{
    private static readonly IPEndPoint Local = new(IPAddress.Loopback, 53);
    private static readonly IPEndPoint Far = new(IPAddress.Parse("192.0.2.53"), 53);
    private static readonly ResolverTest Passed = new(true, DateTimeOffset.UnixEpoch, null);
    private static readonly ResolverFacts Well = new([Local], [Local], [Local], "/var/spool/postfix/etc/resolv.conf", true, Passed);

    [Fact]
    public void The_same_resolver_that_validates_is_well() => Assert.All(Judge(Well), finding => Assert.Equal(DoctorSeverity.Ok, finding.Severity));

    [Fact]
    public void Another_resolver_inside_the_chroot_is_a_warning_that_a_copy_settles()
    {
        var finding = Judge(Well with { Jail = [Far] }).First(finding => finding.Severity == DoctorSeverity.Warning);

        Assert.Contains("inside the chroot Postfix asks 192.0.2.53, this machine 127.0.0.1", finding.Text, StringComparison.Ordinal);
        Assert.Equal(["install -D -m 0644 /etc/resolv.conf /var/spool/postfix/etc/resolv.conf", "postfix reload"], finding.Remedy);
    }

    [Fact]
    public void A_chroot_without_the_file_asks_this_machine()
    {
        var finding = Judge(Well with { Ours = [Far], Machine = [Far], Jail = null }).First(finding => finding.Severity == DoctorSeverity.Problem);

        Assert.Contains("it asks 127.0.0.1 instead of 192.0.2.53, and mail waits if nobody answers there", finding.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_chroot_without_the_file_is_no_problem_where_this_machine_is_asked_anyway()
    {
        var findings = Judge(Well with { Jail = null });

        Assert.All(findings, finding => Assert.InRange(finding.Severity, DoctorSeverity.Ok, DoctorSeverity.Note));
        Assert.Contains(findings, finding => finding.Text.EndsWith("it asks 127.0.0.1, as this machine does; with a copy it would not depend on that", StringComparison.Ordinal));
    }

    [Fact]
    public void Another_resolver_inside_the_chroot_has_one_remedy_and_none_where_policyd_asks_it_too()
    {
        Assert.Single(Judge(Well with { Jail = [Far] }), finding => finding.Severity > DoctorSeverity.Note);
        Assert.DoesNotContain(Judge(Well with { Jail = [Far], Ours = [Far] }), finding => finding.Severity > DoctorSeverity.Note);
        Assert.Contains(
            "policyd asks 192.0.2.53, by resolver in [probe]",
            Judge(Well with { Ours = [Far], Machine = [Local], Jail = [new IPEndPoint(IPAddress.Parse("192.0.2.54"), 53)] }).Single(finding => finding.Severity > DoctorSeverity.Note).Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_a_chroot_the_machine_s_file_counts() =>
        Assert.Contains(Judge(Well with { Jail = null, JailFile = null }), finding => finding is { Severity: DoctorSeverity.Ok, Text: "policyd and Postfix ask the same: 127.0.0.1" });

    [Theory]
    [InlineData(true, DoctorSeverity.Warning)]
    [InlineData(false, DoctorSeverity.Note)]
    public void Two_resolvers_matter_where_what_they_call_secure_counts(bool isTrusted, DoctorSeverity expected)
    {
        var finding = Judge(Well with { Ours = [Far], IsTrusted = isTrusted }).Last();

        Assert.Equal(expected, finding.Severity);
        Assert.Contains("policyd asks 192.0.2.53 and Postfix 127.0.0.1", finding.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void An_AD_bit_from_another_machine_is_noted_where_postfix_believes_it()
    {
        var facts = Well with { Ours = [Far], Machine = [Far], Jail = [Far] };

        Assert.Contains(ResolverCheck.Judge(facts, new PostconfText(("smtp_dns_support_level", "dnssec")).Read(), "x.conf"), finding => finding.Text.Contains("can forge DANE", StringComparison.Ordinal));
        Assert.DoesNotContain(Judge(facts), finding => finding.Text.Contains("can forge DANE", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(true, true, null, DoctorSeverity.Ok)]
    [InlineData(true, true, "passed, without a name that must come back bogus", DoctorSeverity.Warning)]
    [InlineData(true, false, "no AD bit", DoctorSeverity.Problem)]
    [InlineData(false, true, null, DoctorSeverity.Note)]
    [InlineData(false, false, "no AD bit", DoctorSeverity.Note)]
    public void The_self_test_is_judged_by_what_rests_on_it(bool isTrusted, bool passed, string? detail, DoctorSeverity expected) => Assert.Equal(
        expected, Assert.Single(ResolverCheck.Judge(Well with { IsTrusted = isTrusted, Test = new ResolverTest(passed, DateTimeOffset.UnixEpoch, detail) })).Severity);

    [Fact]
    public void Without_a_test_nothing_is_green() => Assert.Equal(DoctorSeverity.Unknown, Assert.Single(ResolverCheck.Judge(Well with { Test = null })).Severity);

    private static List<DoctorFinding> Judge(ResolverFacts facts) => [.. ResolverCheck.Judge(facts, new PostconfText().Read(), "x.conf")];
}
