using System.Collections.Immutable;
using PolicyDaemon.Administration.Doctor;
using PolicyDaemon.Administration.Doctor.OwnSide;
using PolicyDaemon.Administration.Forecast;
using PolicyDaemon.Administration.Postfix;
using PolicyDaemon.Administration.Status;
using PolicyDaemon.Cli.Commands.Program;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Cli.Setup;
using PolicyDaemon.Cli.Setup.Checks;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Probe;
using PolicyDaemon.Probe.Dns;
using PolicyDaemon.Probe.Smtp;

namespace PolicyDaemon.Cli.Commands.Doctor;

/// <summary>What <c>doctor</c> found.</summary>
/// <param name="Findings">Every thing that was looked at, from green to red.</param>
/// <param name="Keys">What partners are told; empty where that was not asked for.</param>
internal sealed record DoctorResult(IReadOnlyList<DoctorFinding> Findings, IReadOnlyList<OwnKey> Keys);

/// <summary>Looks at everything, each thing for a time of its own, and has it judged.</summary>
/// <remarks>Whatever cannot be read is a finding, the configuration too: what does not depend on it is looked at all the same.</remarks>
internal sealed class DoctorSurvey(CommandContext context)
{
    // A store or a disk that hangs; postconf and its like keep a limit of their own.
    private static readonly TimeSpan Moment = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan AnswerTime = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan PerSocket = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan DnsTime = TimeSpan.FromSeconds(30);

    // Servers that drop what is sent to them take a minute each, all at once.
    private static readonly TimeSpan PerDomain = TimeSpan.FromMinutes(3);

    private readonly List<OwnKey> keys = [];

    /// <summary>The configuration directory of Postfix; null for its own.</summary>
    public string? PostfixDirectory { get; init; }

    /// <summary>Domains of our own.</summary>
    public IReadOnlyList<NextHop> Own { get; init; } = [];

    /// <summary>The next certificates or keys.</summary>
    public IReadOnlyList<PemFile> Next { get; init; } = [];

    /// <summary>Whether test alerts are sent.</summary>
    public bool Sends { get; init; }

    private CliHost Host => context.Host;

    private DateTimeOffset Now => Host.Time.GetUtcNow();

    public async Task<DoctorResult> RunAsync(CancellationToken cancellation)
    {
        var findings = new List<DoctorFinding>();
        var (settings, postfix) = (Configuration(findings), ReadPostfix(findings));
        var run = new DoctorRun(Host.Time);
        if (settings is not null)
            BeginOwnMachine(run, settings, postfix, cancellation);
        else
            run.Begin("clock", Moment, () => ClockCheck.Judge(Host.Machine.IsClockSynchronized(), []), cancellation);
        var (server, client) = (Identities(postfix, "smtpd"), Identities(postfix, "smtp"));
        if (postfix is not null)
        {
            run.Begin("server", Moment, () => [.. ServerTlsCheck.Judge(postfix, server), .. OwnCertificateCheck.Judge("server", server, postfix, Now)], cancellation);
            run.Begin("client", Moment, () => OwnCertificateCheck.Judge("client", client, postfix, Now), cancellation);
            run.Begin("obsolete", Moment, () => ObsoleteParameters.Judge(postfix), cancellation);
        }

        findings.AddRange(await run.EndAsync());
        findings.AddRange(await OwnSideAsync(settings, postfix, server, cancellation));
        return new DoctorResult(DoctorFinding.Ordered(findings), keys);
    }

    private Settings? Configuration(List<DoctorFinding> findings)
    {
        try
        {
            var settings = context.Settings;
            findings.Add(DoctorFinding.Ok("configuration", settings.File is { } file ? $"{Path.GetFullPath(file)} can be used" : "there is no configuration file; the defaults count"));
            return settings;
        }
        catch (ConfigurationException fault)
        {
            // The daemon that runs goes on with what it read before.
            findings.AddRange(fault.Problems.Select(problem => DoctorFinding.Problem("configuration", $"{problem}; policyd cannot start with it, and what depends on it was not looked at")));
            return null;
        }
    }

    private PostfixConfiguration? ReadPostfix(List<DoctorFinding> findings)
    {
        try
        {
            return PostfixConfigurationReader.Read(Host.Postfix.Postconf, PostfixDirectory);
        }
        catch (CommandException fault)
        {
            findings.Add(DoctorFinding.Unknown("postfix", $"{fault.Message}. Its configuration, its sockets and the own certificates were not looked at"));
            return null;
        }
    }

    private void BeginOwnMachine(DoctorRun run, Settings settings, PostfixConfiguration? postfix, CancellationToken cancellation)
    {
        // What hangs on a dead disk hangs once, and whoever needs it waits no longer than for others.
        var status = new Lazy<StatusReport>(() => StatusReport.Gather(settings, Host.Time, new FindingReading { Lists = IsJudged }));
        run.Begin("daemon", Moment, () => DaemonCheck.Judge(status.Value), cancellation);
        if (postfix is not null)
        {
            run.Begin("socket", PerSocket, async ended => [.. SocketCheck.Judge(await AskAsync(postfix, settings, ended), postfix)], cancellation);
            run.Begin("postfix", PerSocket, () => Setup(postfix, settings), cancellation);
        }

        run.Begin("resolver", DnsTime, ended => ResolverAsync(settings, postfix, ended), cancellation);
        run.Begin("clock", Moment, () => ClockCheck.Judge(Host.Machine.IsClockSynchronized(), status.Value.Findings), cancellation);
        run.Begin("rights", Moment, () => RightsCheck.Judge(MachineFacts.UserOf(status.Value), MachineFacts.PathsOf(settings), MachineFacts.SecretsOf(settings)), cancellation);
        run.Begin("store", Moment, () => [StoreCheck.Judge(status.Value)], cancellation);
        run.Begin("disk", Moment, () => [MachineFacts.DiskOf(settings)], cancellation);
        run.Begin("alerts", Moment + 2 * settings.Probe.Alerts.Timeout, ended => AlertsAsync(settings, status, ended), cancellation);
        run.Begin("findings", Moment, () => [DaemonCheck.Findings(status.Value)], cancellation);
    }

    // What the checks of the clock and of the alerts look for.
    private static bool IsJudged(FindingJson finding) => finding.Kind == FindingKind.ClockJumped.Name() || finding.Kind == FindingKind.AlertNotDelivered.Name();

    private async Task<IReadOnlyList<SocketAnswer>> AskAsync(PostfixConfiguration postfix, Settings settings, CancellationToken cancellation)
    {
        var answers = new List<SocketAnswer>();
        foreach (var question in SocketQuestion.Of(postfix, settings))
        {
            try
            {
                answers.Add(await Host.Machine.AskAsync(question, AnswerTime, cancellation));
            }
            catch (CommandException fault)
            {
                answers.Add(new SocketAnswer(question, SocketOutcome.NotAsked, fault.Message));
            }
        }

        return answers;
    }

    /// <summary>What <c>setup</c> says: that all fits in one line, and what does not in its own words.</summary>
    private List<DoctorFinding> Setup(PostfixConfiguration postfix, Settings settings)
    {
        var results = SetupVerb.Check(context, postfix, settings);
        List<DoctorFinding> findings =
        [
            .. results.Where(result => result.Severity is SetupSeverity.Warning or SetupSeverity.Problem).Select(result => new DoctorFinding(
                "postfix", result.Severity == SetupSeverity.Problem ? DoctorSeverity.Problem : DoctorSeverity.Warning, result.Text,
                [.. result.Commands, .. result.Steps.Any(step => step.Edit is not null) ? (string[])[postfix.ReloadCommand] : []])),
        ];
        if (findings.Count == 0)
            findings.Add(DoctorFinding.Ok("postfix", $"main.cf and master.cf of Postfix {postfix["mail_version"]} fit ({results.Count} checks of policyctl setup)"));
        return findings;
    }

    private async Task<IReadOnlyList<DoctorFinding>> ResolverAsync(Settings settings, PostfixConfiguration? postfix, CancellationToken cancellation)
    {
        // Tested as if it were trusted: whoever has one that validates should know.
        using var prober = new ProberComposition(
            settings.Probe with { ResolverTrusted = true, CaFile = settings.Probe.CaFile with { Text = "" } }, settings.Postfix, Host.Time);
        await prober.Resolver.TestAsync(cancellation);
        var jail = postfix is not null && postfix.SmtpClients.Any(service => service.Chroot) ? Path.Combine(postfix.QueueDirectory, "etc/resolv.conf") : null;
        var facts = new ResolverFacts(
            prober.Resolver.Servers, SystemResolvers.Read(), jail is not null && SystemResolvers.Of(jail) is { } inJail ? inJail : null, jail,
            settings.Probe.ResolverTrusted, prober.Resolver.Test);
        return postfix is null ? [.. ResolverCheck.Judge(facts)] : [.. ResolverCheck.Judge(facts, postfix, settings.File ?? SettingsReader.DefaultFile)];
    }

    private async Task<IReadOnlyList<DoctorFinding>> AlertsAsync(Settings settings, Lazy<StatusReport> status, CancellationToken cancellation)
    {
        var alerts = settings.Probe.Alerts;
        if (!Sends || !alerts.HasChannel)
            return [.. AlertCheck.Judge(alerts, status.Value.Findings, null)];
        try
        {
            var sent = await Host.Machine.SendTestAlertAsync(settings, MachineFacts.UserOf(status.Value), Moment + alerts.Timeout, cancellation);
            return [.. AlertCheck.Judge(alerts, status.Value.Findings, sent)];
        }
        catch (CommandException fault)
        {
            return [.. AlertCheck.Judge(alerts, status.Value.Findings, null).Where(finding => finding.Severity > DoctorSeverity.Ok), DoctorFinding.Unknown("alerts", $"no test alert was sent: {fault.Message}")];
        }
    }

    private static IReadOnlyList<OwnIdentity> Identities(PostfixConfiguration? postfix, string side) =>
        postfix is null ? [] : [.. OwnIdentity.Of(postfix, side, PemFile.Read).Select(identity => identity.WithNeighbours())];

    private async Task<IReadOnlyList<DoctorFinding>> OwnSideAsync(
        Settings? settings, PostfixConfiguration? postfix, IReadOnlyList<OwnIdentity> server, CancellationToken cancellation)
    {
        if (Own.Count == 0 && Next.Count == 0)
            return [];
        var findings = new List<DoctorFinding>();
        var next = Next.Select(OwnKey.OfFile).OfType<OwnKey>().ToList();
        var reports = new List<CheckResult>();
        foreach (var domain in Own)
        {
            var run = new DoctorRun(Host.Time);
            run.Begin("own", PerDomain, async ended =>
            {
                if (settings is null)
                    return [DoctorFinding.Unknown("own", $"{domain.ToDisplayString()}: its servers were not looked at, since the configuration cannot be used")];
                var report = await CheckAsync(settings, domain, ended);
                reports.Add(report);
                return [.. new OwnDomainCheck(report, postfix?["myhostname"], server, next, postfix?.ReloadCommand ?? "postfix reload").Judge()];
            }, cancellation);
            findings.AddRange(await run.EndAsync());
        }

        var hosts = reports.SelectMany(report => report.Resolution.Hosts).Select(host => host.Name).Distinct(StringComparer.OrdinalIgnoreCase).ToList();
        findings.AddRange(NextKeyCheck.Judge(Next, server, hosts, file => settings is null ? null : WhyUntrusted(settings, file), Now));
        keys.AddRange(OwnKey.Of(server, reports.SelectMany(OwnDomainCheck.Presented), Next));
        return findings;
    }

    private string? WhyUntrusted(Settings settings, PemFile file)
    {
        ImmutableArray<ServerCertificate> certificates = [.. file.Items.Select(item => item.Certificate).OfType<ServerCertificate>()];
        if (certificates.IsEmpty)
            return null;
        try
        {
            using var prober = new ProberComposition(settings.Probe, settings.Postfix, Host.Time);
            return FileChain.WhyUntrusted(certificates, prober.ProbeOptions, Host.Time);
        }
        catch (ConfigurationException)
        {
            // Roots that cannot be read are said where the configuration is looked at.
            return null;
        }
    }

    /// <summary>The report of <c>check</c>. One's own servers may have private addresses, seen from inside.</summary>
    private async Task<CheckResult> CheckAsync(Settings settings, NextHop domain, CancellationToken cancellation)
    {
        using var bar = Progress.Start(Host, $"probing {domain}", 1, worthShowing: 1);
        return await new DestinationCheck(settings with { Probe = settings.Probe with { PrivateAddresses = true } }, Host.Time) { PolicyPort = Host.PolicyPort, Version = VersionVerb.Text }
            .RunAsync(domain, [], bar, cancellation);
    }
}
