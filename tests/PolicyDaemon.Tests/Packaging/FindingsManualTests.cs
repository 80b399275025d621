using System.Text;
using System.Text.RegularExpressions;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Tests.Cli;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Packaging;

/// <summary>policydaemon-findings(7) is what the table of kinds says, row by row; with UPDATE_MANUAL=1 in the environment this test writes it.</summary>
public sealed partial class FindingsManualTests
{
    private const string Name = "policydaemon-findings.7";

    [Fact]
    public void The_manual_page_of_findings_is_the_table_of_kinds()
    {
        var file = Repository.Path("packaging", "man", Name);
        var page = Page();
        if (Environment.GetEnvironmentVariable("UPDATE_MANUAL") == "1")
            File.WriteAllText(file, page);
        Assert.Equal(page, File.ReadAllText(file));
    }

    [Fact]
    public void Every_kind_says_what_becomes_of_mail_and_what_to_do()
    {
        Assert.All(FindingKinds.All, row =>
        {
            Assert.All((string[])[row.Meaning, row.Mail, row.WhatToDo], text => Assert.Matches("^[A-Z].*[^.]$", text));
            Assert.True(row.Partner is null || row.Partner.Length > 20, row.Name);
        });
        // What a probe of a partner's server opens is nearly always something to tell the partner.
        Assert.All(FindingKinds.All.Where(row => row.IsSuspicious), row => Assert.NotNull(row.Partner));
        Assert.All(FindingKinds.All.Where(row => row.IsAdvice), row => Assert.Equal((FindingSeverity.ForInformation, false), (row.Severity, row.FollowsVerdict)));
    }

    [Fact]
    public void The_manual_of_policyctl_names_the_kinds_that_take_a_reason()
    {
        var manual = File.ReadAllText(Repository.Path("packaging", "man", "policyctl.1"));
        var named = Suspicious().Match(manual).Groups["kinds"].Value.Split([' ', ',', '\n'], StringSplitOptions.RemoveEmptyEntries);

        Assert.Equal(
            FindingKinds.All.Where(row => row.IsSuspicious).Select(row => row.Name).Order(StringComparer.Ordinal), named.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Each_kind_is_explained()
    {
        using var session = new CliSession(init: false);
        Assert.All(FindingKinds.All, row => Assert.StartsWith($"finding\t{row.Name}\nmeans\t{row.Meaning}\n", session.Succeed("explain", "finding", row.Name), StringComparison.Ordinal));
        Assert.Equal(ExitCode.Usage, session.Run("explain", "finding", "nonsense").Code);
        Assert.Equal(ExitCode.Usage, session.Run("explain", "a.example", "b.example").Code);
        Assert.Contains("\"ends_by_itself\": false", session.Succeed("explain", "finding", "audit-broken", "--format", "json"), StringComparison.Ordinal);
    }

    [GeneratedRegex(@"somebody else may answer in the partner's place\n\.Pq (?<kinds>[a-z, \n-]+) ,\n")]
    private static partial Regex Suspicious();

    private static string Page()
    {
        var page = new StringBuilder(
            """
            .Dd November 30, 2026
            .Dt POLICYDAEMON-FINDINGS 7
            .Os
            .Sh NAME
            .Nm policydaemon-findings
            .Nd what PolicyDaemon wants a person to read, kind by kind
            .Sh DESCRIPTION
            A finding is something that a person should read: its kind, whom it is about,
            since when, what it means for mail, and the command that settles it.
            .Ql policyctl status
            shows those that are open, the journal and the alerts of
            .Xr policydaemon.conf 5
            tell of each when it opens, when it lasts and when it is over.
            .Pp
            How grave a finding is says what it means for mail:
            .Bl -tag -width mail-will-wait
            .It Sy mail-waits
            mail is deferred now; Postfix returns it after
            .Ic maximal_queue_lifetime
            .It Sy mail-will-wait
            mail will be deferred unless somebody acts
            .It Sy look-at-it
            a person has to judge it; mail is not affected, or not by this alone
            .It Sy for-information
            nothing has to be done
            .El
            .Pp
            While a finding is open that does not exclude an attack, no remedy approves or
            revokes a pin, and a person who does gives a reason.
            .Pp
            Advice is a finding of another sort: nothing is wrong, and something else would
            be better.
            It is shown by
            .Ql policyctl status --all ,
            .Ql domain show
            and
            .Ql explain ,
            and ends by the command that it names, or where a person sets mode
            .Ql locked .
            .Sh KINDS

            """.ReplaceLineEndings("\n"));
        foreach (var row in FindingKinds.All.OrderBy(row => row.Name, StringComparer.Ordinal))
        {
            page.Append(".Ss ").Append(row.Name).Append('\n');
            Add(row.Meaning + ".");
            page.Append(".Bl -tag -width partner -compact\n");
            Item("mail", row.Mail + ".");
            Item("do", row.WhatToDo + ".");
            if (row.Partner is { } partner)
                Item("partner", partner.EndsWith('?') ? partner : partner + ".");
            Item("grave", row.Severity.Name() + (row.FollowsVerdict ? "; mail-waits where every address would be refused, mail-will-wait where some would" : "")
                + (row.IsAdvice ? "; advice: status only counts it, and nobody is alerted" : "") + ".");
            if (!row.EndsByItself)
                Item("ends", "when a person has looked into it.");
            page.Append(".El\n");
        }

        page.Append(".Sh SEE ALSO\n.Xr policyctl 1 ,\n.Xr policydaemon.conf 5 ,\n.Xr policydaemon 7 ,\n.Xr policyd 8\n");
        return page.ToString();

        void Item(string name, string text)
        {
            page.Append(".It ").Append(name).Append('\n');
            Add(text);
        }

        void Add(string text)
        {
            var line = new StringBuilder();
            foreach (var word in text.Split(' '))
            {
                if (line.Length + word.Length >= 80)
                {
                    page.Append(line).Append('\n');
                    line.Clear();
                }

                line.Append(line.Length == 0 ? "" : " ").Append(word);
            }

            page.Append(line).Append('\n');
        }
    }
}
