using PolicyDaemon.Administration.Doctor;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Tests.Cli;
using Xunit;

namespace PolicyDaemon.Tests.Administration.Doctor;

public sealed class SocketCheckTests
{
    private static readonly Settings Settings = SettingsReader.TryParse(
        "[lookup]\nsocketmap = inet:127.0.0.1:8461, unix:/var/spool/postfix/policydaemon/socketmap\ntcp_table = inet:127.0.0.1:8462\n")!;

    [Fact]
    public void A_service_in_the_chroot_asks_from_there_and_another_one_from_outside()
    {
        var postfix = Maps("socketmap:unix:policydaemon/socketmap:tlspolicy");
        postfix.Services = "smtp unix - - y - - smtp\nrelay unix - - y - - smtp\nout unix - - n - - smtp\n";

        var questions = SocketQuestion.Of(postfix.Read(), Settings);

        Assert.Equal(2, questions.Count);
        Assert.Equal(["smtp/unix", "relay/unix"], questions[0].Services);
        Assert.Equal(("/var/spool/postfix", "unix:/policydaemon/socketmap", "postfix"), (questions[0].Root, questions[0].Endpoint, questions[0].User));
        Assert.Equal(["out/unix"], questions[1].Services);
        Assert.Equal((null, "unix:/var/spool/postfix/policydaemon/socketmap"), (questions[1].Root, questions[1].Endpoint));
        Assert.All(questions, question => Assert.Equal("/var/spool/postfix/policydaemon/socketmap", question.MachinePath));
    }

    [Fact]
    public void A_table_behind_proxymap_is_asked_from_where_proxymap_runs()
    {
        var postfix = Maps("proxy:socketmap:unix:/var/spool/postfix/policydaemon/socketmap:tlspolicy");
        postfix.Services = "smtp unix - - y - - smtp\nproxymap unix - - n - - proxymap\n";

        var question = Assert.Single(SocketQuestion.Of(postfix.Read(), Settings));

        Assert.Equal(["proxymap/unix"], question.Services);
        Assert.Null(question.Root);
    }

    [Fact]
    public void The_table_of_a_service_s_own_is_asked_and_a_stranger_s_is_not()
    {
        var postfix = Maps("hash:/etc/postfix/tls_policy, tcp:127.0.0.1:8462");
        postfix.Services = "smtp unix - - y - - smtp\nout unix - - n - - smtp -o smtp_tls_policy_maps=socketmap:inet:127.0.0.1:8461:tlspolicy\n";
        postfix.Overrides = "out/unix/smtp_tls_policy_maps = socketmap:inet:127.0.0.1:8461:tlspolicy\n";

        Assert.Equal(["inet:127.0.0.1:8462", "inet:127.0.0.1:8461"], SocketQuestion.Of(postfix.Read(), Settings).Select(question => question.Endpoint));
    }

    [Fact]
    public void A_socket_by_its_absolute_path_is_sought_inside_the_chroot()
    {
        var postfix = Maps("socketmap:unix:/var/spool/postfix/policydaemon/socketmap:tlspolicy").Read();
        var question = Assert.Single(SocketQuestion.Of(postfix, Settings));
        Assert.Equal("/var/spool/postfix/var/spool/postfix/policydaemon/socketmap", question.MachinePath);

        var finding = Judge(question, SocketOutcome.NoSocket, postfix);

        Assert.Equal(DoctorSeverity.Problem, finding.Severity);
        Assert.Equal(["postconf -e 'smtp_tls_policy_maps = socketmap:unix:policydaemon/socketmap:tlspolicy'", "postfix reload"], finding.Remedy);
    }

    [Theory]
    [InlineData(SocketOutcome.Answered, DoctorSeverity.Ok, "")]
    [InlineData(SocketOutcome.NotAsked, DoctorSeverity.Unknown, "")]
    [InlineData(SocketOutcome.Refused, DoctorSeverity.Problem, "policyctl status")]
    [InlineData(SocketOutcome.NotRunning, DoctorSeverity.Problem, "systemctl start policyd")]
    [InlineData(SocketOutcome.NoSocket, DoctorSeverity.Problem, "systemctl start policyd")]
    [InlineData(SocketOutcome.NoPermission, DoctorSeverity.Problem, "chgrp postfix /var/spool/postfix/policydaemon /var/spool/postfix/policydaemon/socketmap")]
    [InlineData(SocketOutcome.Failed, DoctorSeverity.Problem, "journalctl -u policyd -n 50")]
    public void What_became_of_a_question_is_said_with_what_settles_it(SocketOutcome outcome, DoctorSeverity severity, string remedy)
    {
        var postfix = Maps("socketmap:unix:policydaemon/socketmap:tlspolicy").Read();

        var finding = Judge(SocketQuestion.Of(postfix, Settings)[0], outcome, postfix);

        Assert.Equal(severity, finding.Severity);
        Assert.Equal(remedy, finding.Remedy.Count == 0 ? "" : finding.Remedy[0]);
        Assert.Equal(severity == DoctorSeverity.Problem, finding.Text.Contains("mail waits", StringComparison.Ordinal));
    }

    [Fact]
    public void Where_postfix_does_not_ask_policyd_nothing_is_green() =>
        Assert.Equal(DoctorSeverity.Unknown, Assert.Single(SocketCheck.Judge([], Maps("hash:/etc/postfix/tls_policy").Read())).Severity);

    private static DoctorFinding Judge(SocketQuestion question, SocketOutcome outcome, PolicyDaemon.Administration.Postfix.PostfixConfiguration postfix) =>
        Assert.Single(SocketCheck.Judge([new SocketAnswer(question, outcome, "its words")], postfix));

    private static PostconfText Maps(string value) => new(("smtp_tls_policy_maps", value));
}
