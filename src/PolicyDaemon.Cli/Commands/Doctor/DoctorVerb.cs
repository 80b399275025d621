using System.CommandLine;
using PolicyDaemon.Administration.Doctor;
using PolicyDaemon.Administration.Doctor.OwnSide;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Cli.Json;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Pins;

namespace PolicyDaemon.Cli.Commands.Doctor;

/// <summary><c>doctor</c>: looks at everything that mail depends on here, in one list with the commands that settle what is not well.</summary>
internal static class DoctorVerb
{
    private sealed record Options(Option<string?> Postfix, Option<string[]> Own, Option<string[]> Next, Option<string[]> Digest, Option<bool> Send);

    // A list that somebody reads.
    private const int MostDomains = 20;
    private const int MostFiles = 20;

    internal static Command Create(CommandRunner runner)
    {
        var options = new Options(
            new Option<string?>("--postfix") { HelpName = "DIR", Description = "Postfix's configuration directory [default: its own]" },
            new Option<string[]>("--own") { HelpName = "DOMAIN", Description = "Look at the MX hosts of a domain of yours as partners' Postfix does, and print what partners need; repeatable" },
            new Option<string[]>("--next") { HelpName = "FILE", Description = "The next certificate or key of your mail server, in PEM: print what to announce before the change; repeatable" },
            new Option<string[]>("--digest") { HelpName = "NAME", Description = "The digest of the fingerprints that partners need: md5, sha1, sha256 or sha512; repeatable [default: sha256]" },
            new Option<bool>("--send") { Description = "Send a test alert through alert_command and alert_webhook" });
        options.Digest.CompletionSources.Add([.. Enum.GetValues<DigestAlgorithm>().Select(digest => digest.Name())]);
        var verb = new Verb("doctor", "Look at the daemon, its sockets, Postfix, resolver, clock, rights, store, disk and alerts, and at your own mail server: one list from green to red, with what settles each. Changes nothing.")
        {
            Columns = ["severity (key for a fingerprint that partners need)", "check", "text", "commands (separated by ' ; ')"],
            ExitCodes = "1 where something needs a person; 6 where nothing does, but something could not be looked at",
            Examples =
            [
                ("policyctl doctor", "Is all well here? As root, it asks as Postfix's user from inside its chroot."),
                ("policyctl doctor --send", "The same, and a test alert to people."),
                ("policyctl doctor --own example.com", "How do partners see our own mail servers, and which fingerprints do they need?"),
                ("policyctl doctor --own example.com --next /etc/ssl/next.pem", "What is to be announced before the certificate changes?"),
                ("policyctl doctor --format json", "The same for a program."),
            ],
        };
        verb.Add(options.Postfix);
        verb.Add(options.Own);
        verb.Add(options.Next);
        verb.Add(options.Digest);
        verb.Add(options.Send);
        verb.SetAction(runner.Handle((context, cancellation) => RunAsync(context, options, cancellation)));
        return verb;
    }

    private static async Task<ExitCode> RunAsync(CommandContext context, Options options, CancellationToken cancellation)
    {
        var digests = Digests(context, options);
        if (context.Has(options.Digest) && !context.Has(options.Own) && !context.Has(options.Next))
            throw new CommandException(ExitCode.Usage, "--digest is for the fingerprints that partners need; add --own DOMAIN, or --next FILE");
        var result = await new DoctorSurvey(context)
        {
            PostfixDirectory = context.Get(options.Postfix),
            Own = Domains(context, options),
            Next = Files(context, options),
            Sends = context.Get(options.Send),
        }.RunAsync(cancellation);
        Write(context.Report, result, digests);
        return Code(result.Findings);
    }

    /// <summary>What the list comes to: a person is needed, or something is not known, or all is well.</summary>
    internal static ExitCode Code(IReadOnlyCollection<DoctorFinding> findings) =>
        findings.Any(finding => finding.Severity >= DoctorSeverity.Warning) ? ExitCode.Negative
            : findings.Any(finding => finding.Severity == DoctorSeverity.Unknown) ? ExitCode.Inconclusive
            : ExitCode.Done;

    private static void Write(Report report, DoctorResult result, IReadOnlyList<DigestAlgorithm> digests)
    {
        OwnKeyJson[] keys = [.. result.Keys.SelectMany(key => digests.Select(digest => OwnKeyJson.From(key, digest)))];
        if (report.Format == OutputFormat.Json)
        {
            report.Json(new DoctorJson([.. result.Findings.Select(DoctorFindingJson.From)], keys), CliJson.Default.DoctorJson);
        }
        else if (report.Format == OutputFormat.Tsv)
        {
            var table = new Table("severity", "check", "text", "commands");
            foreach (var finding in result.Findings)
                table.Add(finding.Severity.Name(), finding.Check, finding.Text, string.Join(" ; ", finding.Remedy));
            foreach (var key in keys)
                table.Add("key", key.Use, $"{key.Source} {key.Digest} certificate={key.Certificate ?? "none"} public_key={key.PublicKey} tlsa={key.Tlsa}", "");
            report.Rows(table, default!, CliJson.Default.DoctorJson);
        }
        else
        {
            DoctorScreen.Write(report, result, digests);
        }
    }

    private static DigestAlgorithm[] Digests(CommandContext context, Options options) =>
        context.Get(options.Digest) is { Length: > 0 } names
            ? [.. names.Select(name => DigestAlgorithms.TryParse(name, out var digest) ? digest
                : throw new CommandException(ExitCode.Usage, $"--digest takes md5, sha1, sha256 or sha512, not '{name}'")).Distinct()]
            : [DigestAlgorithm.Sha256];

    private static NextHop[] Domains(CommandContext context, Options options)
    {
        var words = context.Get(options.Own) ?? [];
        if (words.Length > MostDomains)
            throw new CommandException(ExitCode.Usage, FormattableString.Invariant($"--own takes {MostDomains} domains at most"));
        return [.. words.Select(Domain).Distinct()];
    }

    private static NextHop Domain(string word)
    {
        var key = CommandContext.ParseKey(word);
        return key.IsSubdomains || key.IsPath ? throw new CommandException(ExitCode.Usage, $"--own takes a domain of yours, such as example.com, not '{word}'") : key;
    }

    private static PemFile[] Files(CommandContext context, Options options)
    {
        var names = context.Get(options.Next) ?? [];
        if (names.Length > MostFiles)
            throw new CommandException(ExitCode.Usage, FormattableString.Invariant($"--next takes {MostFiles} files at most"));
        return [.. names.Select(name => PemFile.Read(Path.GetFullPath(name)))];
    }
}
