using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using PolicyDaemon.EndToEnd.Lab;

namespace PolicyDaemon.EndToEnd.Peers;

/// <summary>A real mail server at an address of its own, and what its log says of its clients.</summary>
public abstract class Peer(Laboratory lab, PeerProgram program, PeerSetup setup, IPAddress address)
{
    private bool _isRunning;

    protected Laboratory Lab => lab;

    protected PeerSetup Setup => setup;

    public IPAddress Address => address;

    /// <summary>Its name in DNS, and in its certificates but for <see cref="PeerSetup.OneEcdsaTls13"/>.</summary>
    public string Host => $"{setup}.{program}.plain.test".ToLowerInvariant();

    /// <summary>The server as a destination.</summary>
    public string Key => $"[{Host}]";

    /// <summary>Its certificates.</summary>
    public IReadOnlyList<LabCertificate> Certificates => field ??= setup switch
    {
        PeerSetup.TwoCertificates => [lab.Certificates.Issued(Host, KeyKind.Rsa), lab.Certificates.Issued(Host)],
        PeerSetup.OneRsa or PeerSetup.RefusesEhloOverTls => [lab.Certificates.Issued(Host, KeyKind.Rsa)],
        PeerSetup.OneEcdsaTls12 => [lab.Certificates.SelfSigned(Host)],
        PeerSetup.OneEcdsaTls13 => [lab.Certificates.Issued("another-" + Host)],
        _ => [],
    };

    /// <summary>How many connections have ended, and how many of those with QUIT.</summary>
    /// <param name="lines">Lines of its log.</param>
    public (int Ended, int WithQuit) Leaves(IReadOnlyList<string> lines) => (lines.Count(Log.Ended.IsMatch), lines.Count(Log.WithQuit.IsMatch));

    /// <summary>The lines in which it complains of a client.</summary>
    public IEnumerable<string> Complaints(IEnumerable<string> lines) => lines.Where(line => Log.Complaint.IsMatch(line));

    /// <summary>The names that clients gave in EHLO; none where its log does not have them.</summary>
    public IEnumerable<string> EhloNames(IEnumerable<string> lines) =>
        Log.Ehlo is not { } said ? [] : lines.Select(line => said.Match(line)).Where(match => match.Success).Select(match => match.Groups[1].Value);

    /// <summary>Its log; what it prints, where it has no other.</summary>
    public virtual IReadOnlyList<string> Lines => Process?.Said.Split('\n', StringSplitOptions.RemoveEmptyEntries) ?? [];

    /// <summary>The end of its log and what it printed, for the message of a failure.</summary>
    public string Tail => string.Join('\n', Lines.TakeLast(60)) + "\n" + Process?.Said;

    /// <summary>What its lines look like.</summary>
    protected abstract PeerLog Log { get; }

    /// <summary>The program; null before it is started, and where it is one of many.</summary>
    protected RunningProcess? Process { get; set; }

    /// <summary>Starts it, unless it runs, and waits until it listens.</summary>
    public async Task StartAsync()
    {
        if (_isRunning) return;
        Directory.CreateDirectory(Folder);
        await BeginAsync();
        // Not by a connection, which would stand in its log.
        await Until.TrueAsync($"{Host} listens", async () =>
            (await lab.Sandbox.RunOnMxAsync("ss", "-Hltn", "src", $"{address}:25")).Output.Length > 0, () => Tail);
        _isRunning = true;
    }

    protected abstract Task BeginAsync();

    /// <summary>Its files.</summary>
    protected string Folder => Path.Combine(lab.Sandbox.Folder, "peers", Host);

    /// <summary>Writes keys and certificates as <c>N.key</c> and <c>N.pem</c>.</summary>
    protected async Task WriteCertificatesAsync()
    {
        for (var number = 0; number < Certificates.Count; number++)
        {
            await WriteAsync(Numbered(number, "pem"), Certificates[number].ChainPem);
            await WriteAsync(Numbered(number, "key"), Certificates[number].KeyPem);
            File.SetUnixFileMode(Path.Combine(Folder, Numbered(number, "key")), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }
    }

    /// <summary>The files with this ending of all certificates, as the server's configuration names them.</summary>
    /// <param name="ending"><c>pem</c> or <c>key</c>.</param>
    /// <param name="folder">Where the server finds them, if not at <see cref="Home"/>.</param>
    protected IEnumerable<string> Files(string ending, string folder = Home) =>
        Enumerable.Range(0, Certificates.Count).Select(number => $"{folder}/{Numbered(number, ending)}");

    protected Task WriteAsync(string file, string text) => File.WriteAllTextAsync(Path.Combine(Folder, file), text);

    /// <summary><see cref="Folder"/> as a program sees it that <see cref="StartUnpacked"/> started.</summary>
    protected const string Home = "/run/mail-server";

    /// <summary>Starts a program of the unpacked packages on a machine of its own; see peer-init.sh.</summary>
    protected void StartUnpacked(params string[] command) => Process = lab.Sandbox.StartOnMx(
        ["unshare", "--mount", "--uts", "sh", Path.Combine(AppContext.BaseDirectory, "Peers", "peer-init.sh"), Folder, Host,
            Path.Combine(Repository.Root, "artifacts", "mail-servers", "root"), .. command]);

    private static string Numbered(int number, string ending) => string.Create(CultureInfo.InvariantCulture, $"{number}.{ending}");
}

/// <summary>How to read a server's log.</summary>
/// <param name="Ended">A line for each connection that ended.</param>
/// <param name="WithQuit">A line for each QUIT.</param>
/// <param name="Complaint">A line in which it complains of a client.</param>
/// <param name="Ehlo">A line with the name in EHLO as its first group; null where there is none.</param>
public sealed record PeerLog(Regex Ended, Regex WithQuit, Regex Complaint, Regex? Ehlo);
