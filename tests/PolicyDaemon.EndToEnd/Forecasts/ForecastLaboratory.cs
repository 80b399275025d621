using System.Text;
using PolicyDaemon.EndToEnd.Lab;

namespace PolicyDaemon.EndToEnd.Forecasts;

/// <summary>Every kind of server, a Postfix that sends to them by one transport for each policy, and a daemon for each.</summary>
internal sealed class ForecastLaboratory(PostfixInstallation postfix, int? seed) : IAsyncDisposable
{
    // Postfix has no patience beyond the tool's, so that both see the same.
    private const string Patience = "15s";
    private const int FirstPort = 8600;

    /// <summary>
    /// minimal_backoff_time. A message that has been there for so long does without a TLS that does not work (smtp.h, PREACTIVE_DELAY), even in
    /// its first attempt: longer than a slow machine takes for that.
    /// </summary>
    public static readonly TimeSpan Wait = TimeSpan.FromSeconds(60);

    private readonly List<Policyd> _daemons = [];
    private Sandbox? _sandbox;
    private LabDns? _dns;
    private MailServers? _servers;
    private string _authorities = "";
    private string _postfixSection = "";

    public KindBook Book { get; private set; } = null!;

    public SendingPostfix Sender { get; private set; } = null!;

    public MailServers Servers => _servers!;

    /// <summary>A configuration without any entry.</summary>
    public Policyd Empty { get; private set; } = null!;

    public string PostfixVersion { get; private set; } = "";

    /// <summary>The lines of main.cf that a seed has drawn.</summary>
    public IReadOnlyList<string> Settings { get; } = seed is { } drawn ? Draw(new Random(drawn)) : [];

    public async Task StartAsync(Func<ServerKind, bool> wanted)
    {
        _sandbox = await Sandbox.CreateAsync(postfix);
        foreach (var network in KindBook.Networks) await LabNetwork.WholeAsync(_sandbox, network);
        var certificates = Directory.CreateDirectory(Path.Combine(_sandbox.Folder, "certificates")).FullName;
        var forge = new CertificateForge();
        Book = await KindBook.WriteAsync(forge, certificates, seed);
        Book.Keep(wanted);
        _authorities = Path.Combine(_sandbox.Folder, "authorities.pem");
        await File.WriteAllTextAsync(_authorities, forge.TrustedPem);
        _servers = await MailServers.StartAsync(_sandbox, Book.All.SelectMany(kind => kind.Servers), certificates);

        _dns = new LabDns(_sandbox);
        await _dns.StartAsync();
        foreach (var kind in Book.All)
        {
            foreach (var (name, type, data) in kind.Records) _dns.Set(name, type, data);
        }

        await _dns.PublishAsync();
        await StartSenderAsync();
        PostfixVersion = await Sender.Instance.ParameterAsync("mail_version");
        _postfixSection = await PostfixSectionAsync();
        Empty = await DaemonAsync("empty", FirstPort);
    }

    /// <summary>A daemon that serves a policy table, as <see cref="PolicyLevel.Transport"/> asks it.</summary>
    /// <returns>The lines that it refused, with its reasons.</returns>
    public async Task<IReadOnlyDictionary<int, string>> ServeAsync(PolicyLevel level, IReadOnlyList<string> lines)
    {
        var policyd = await DaemonAsync(level.Name, Port(level));
        _daemons.Add(policyd);
        var table = Path.Combine(_sandbox!.Folder, level.Name + ".table");
        var refused = new Dictionary<int, string>();
        await File.WriteAllLinesAsync(table, lines);
        var import = await policyd.CtlAsync("import", table);
        if (import.ExitCode == 5)
        {
            foreach (var line in import.Error.Split('\n'))
            {
                var start = line.IndexOf(table + ":", StringComparison.Ordinal);
                if (start < 0) continue;
                var words = line[(start + table.Length + 1)..].Split(':', 2);
                if (int.TryParse(words[0], out var number)) refused[number] = words[1].Trim();
            }

            await File.WriteAllLinesAsync(table, lines.Select((line, index) => refused.ContainsKey(index + 1) ? "# " + line : line));
            import = await policyd.CtlAsync("import", table);
        }

        import.Require();
        await policyd.StartAsync();
        return refused;
    }

    /// <summary>The daemon of a policy, once it was started.</summary>
    public Policyd DaemonOf(PolicyLevel level) => _daemons[PolicyLevel.All.ToList().IndexOf(level)];

    public async ValueTask DisposeAsync()
    {
        foreach (var daemon in _daemons) await daemon.DisposeAsync();
        if (_servers is not null) await _servers.DisposeAsync();
        if (_dns is not null) await _dns.DisposeAsync();
        if (_sandbox is not null) await _sandbox.DisposeAsync();
    }

    private static int Port(PolicyLevel level) => FirstPort + 10 * (1 + PolicyLevel.All.ToList().IndexOf(level));

    private async Task<Policyd> DaemonAsync(string name, int port)
    {
        var policyd = new Policyd(_sandbox!, name, Path.Combine(_sandbox!.Folder, name, "run"), port);
        var probe = new ProbeConfiguration(_authorities)
            .With("enabled", "no").With("connect_timeout", Patience).With("reply_timeout", Patience).With("handshake_timeout", Patience);
        await policyd.PrepareAsync(probe: probe, postfix: _postfixSection);
        return policyd;
    }

    private static List<string> Draw(Random random)
    {
        string Pick(params string[] all) => all[random.Next(all.Length)];
        return
        [
            "smtp_mx_address_limit = " + Pick("5", "5", "2", "3", "0"),
            "smtp_address_preference = " + Pick("any", "ipv4", "ipv6"),
            "inet_protocols = " + Pick("all", "all", "ipv4"), // the laboratory itself is asked over IPv4
            "smtp_tls_protocols = " + Pick(">=TLSv1", ">=TLSv1.2", "!SSLv2, !SSLv3, !TLSv1", "", "<=TLSv1.2", ">=TLSv1.3"),
            "smtp_tls_mandatory_protocols = " + Pick(">=TLSv1", ">=TLSv1.2", "!SSLv2, !SSLv3, !TLSv1, !TLSv1.1", "TLSv1.2, TLSv1.3", ">=TLSv1.3", "<=TLSv1.2"),
            "smtp_tls_dane_insecure_mx_policy = " + Pick("may", "encrypt", "dane"),
            "smtp_tls_security_level = " + Pick("may", "none", "encrypt", "dane", "verify", "secure", "dane-only"),
        ];
    }

    /// <summary>What main.cf says, in the section of ours that repeats it; Postfix's own defaults among it.</summary>
    private async Task<string> PostfixSectionAsync()
    {
        var section = new StringBuilder();
        foreach (var (key, parameter) in new[]
        {
            ("security_level", "smtp_tls_security_level"), ("mx_address_limit", "smtp_mx_address_limit"), ("inet_protocols", "inet_protocols"),
            ("address_preference", "smtp_address_preference"), ("protocols", "smtp_tls_protocols"),
            ("mandatory_protocols", "smtp_tls_mandatory_protocols"), ("dane_insecure_mx_policy", "smtp_tls_dane_insecure_mx_policy"),
        })
            section.Append($"{key} = {(await Sender.Instance.RunAsync("postconf", "-xh", parameter)).Require().Trim()}\n");
        return section.ToString();
    }

    private async Task StartSenderAsync()
    {
        Sender = new SendingPostfix(_sandbox!);
        var services = new StringBuilder();
        foreach (var level in PolicyLevel.All)
        {
            services.Append($"{level.Transport} unix - - y - 20 smtp\n")
                .Append($"    -o smtp_tls_policy_maps=socketmap:inet:127.0.0.1:{Port(level)}:tlspolicy\n");
        }

        var byRecipient = Path.Combine(_sandbox!.Folder, "routes");
        await File.WriteAllLinesAsync(byRecipient, Book.All.Where(kind => kind.Key != kind.Domain)
            .SelectMany(kind => PolicyLevel.All.Select(level => $"{level.RecipientAt(kind)} {level.Transport}:{kind.Key}")));
        var byLevel = Path.Combine(_sandbox.Folder, "levels");
        await File.WriteAllLinesAsync(byLevel, PolicyLevel.All.Select(level => $"/^{level.Name}@/ {level.Transport}:"));
        await Sender.StartAsync("", _authorities, $"""
            transport_maps = texthash:{byRecipient}, regexp:{byLevel}
            default_destination_concurrency_failed_cohort_limit = 0
            smtp_connect_timeout = {Patience}
            smtp_helo_timeout = {Patience}
            smtp_starttls_timeout = {Patience}
            # A second attempt comes when it is asked for, and may then be in plain text.
            minimal_backoff_time = {Wait.TotalSeconds}s
            queue_run_delay = 1d
            {string.Join('\n', Settings)}
            """, services.ToString());
    }
}
