using System.Globalization;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Administration.Postfix;

/// <summary>What a Postfix is configured to do, as postconf(1) says it.</summary>
/// <param name="Values">Every parameter with its value, expanded (<c>postconf -x</c>).</param>
/// <param name="Explicit">The parameters that main.cf itself sets (<c>postconf -n</c>).</param>
/// <param name="Services">master.cf.</param>
/// <param name="Directory">The directory named on the command line; null for Postfix's own.</param>
public sealed record PostfixConfiguration(
    IReadOnlyDictionary<string, string> Values,
    IReadOnlySet<string> Explicit,
    IReadOnlyList<PostfixService> Services,
    string? Directory)
{
    /// <summary>A parameter's value; empty where this Postfix does not know it.</summary>
    public string this[string parameter] => Values.GetValueOrDefault(parameter, "");

    /// <summary>The value for one service: its override, else main.cf's.</summary>
    public string For(PostfixService service, string parameter)
    {
        if (!service.Overrides.TryGetValue(parameter, out var value))
            return this[parameter];
        // master.cf(5): an override may name a parameter as a whole; anything longer is shown as written.
        var name = value.StartsWith("${", StringComparison.Ordinal) && value.EndsWith('}') ? value[2..^1] : value.TrimStart('$');
        return value.StartsWith('$') && Values.TryGetValue(name, out var named) ? named : value;
    }

    public IEnumerable<PostfixService> SmtpClients => Services.Where(service => service.IsSmtpClient);

    public bool Has(string parameter) => Values.ContainsKey(parameter);

    /// <summary>True where a boolean parameter is on.</summary>
    public bool IsYes(string parameter) => this[parameter].Equals("yes", StringComparison.OrdinalIgnoreCase);

    /// <summary>A parameter that holds a list: separated by commas and blanks, braces kept together.</summary>
    public IReadOnlyList<string> List(string parameter) => PostfixList.Split(this[parameter]);

    /// <summary>The release, where <c>mail_version</c> can be read.</summary>
    public PostfixVersion? Version => PostfixVersion.TryParse(this["mail_version"], out var version) ? version : null;

    /// <summary>The patch level: 11 in 3.7.11; a snapshot (3.12-20260821) counts as the newest.</summary>
    public int PatchLevel
    {
        get
        {
            var parts = this["mail_version"].Split('.', 3);
            var digits = parts.Length < 3 ? "" : new string([.. parts[2].TakeWhile(char.IsAsciiDigit)]);
            return int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var patch) ? patch : int.MaxValue;
        }
    }

    public string QueueDirectory => this["queue_directory"] is { Length: > 0 } directory ? directory : "/var/spool/postfix";

    /// <summary>The command line that sets a parameter of this Postfix.</summary>
    public SetupCommand SetCommand(string parameter, string value)
    {
        var edit = new MainCfEdit(parameter, value);
        return new($"postconf {DirectoryOption}-e {Shell.Quote(edit.ToString())}", edit);
    }

    /// <summary>This configuration as it will be after an edit.</summary>
    public PostfixConfiguration With(MainCfEdit edit) => this with
    {
        Values = new Dictionary<string, string>(Values, StringComparer.Ordinal) { [edit.Parameter] = edit.Value },
        Explicit = new HashSet<string>(Explicit, StringComparer.Ordinal) { edit.Parameter },
    };

    /// <summary>The command line that removes a service's override.</summary>
    public string RemoveOverrideCommand(PostfixService service, string parameter) =>
        $"postconf {DirectoryOption}-PX {Shell.Quote($"{service.FullName}/{parameter}")}";

    /// <summary>The command line that makes this Postfix read its configuration again.</summary>
    public string ReloadCommand => PostfixCommand("reload");

    /// <summary>A command line of postfix(1) for this Postfix.</summary>
    public string PostfixCommand(string words) => $"postfix {DirectoryOption}{words}";

    /// <summary>The command line that takes a parameter out of main.cf, so that its default counts.</summary>
    public string RemoveCommand(string parameter) => $"postconf {DirectoryOption}-X {Shell.Quote(parameter)}";

    private string DirectoryOption => Directory is null ? "" : $"-c {Shell.Quote(Directory)} ";
}

/// <summary>A line of master.cf(5).</summary>
/// <param name="Name">Such as <c>smtp</c> or <c>relay</c>.</param>
/// <param name="Type">Such as <c>unix</c> or <c>inet</c>.</param>
/// <param name="Chroot">True where it runs inside the queue directory.</param>
/// <param name="Program">The program without its options, such as <c>smtp</c>.</param>
/// <param name="Overrides">Its <c>-o name=value</c>.</param>
public sealed record PostfixService(
    string Name, string Type, bool Chroot, string Program, IReadOnlyDictionary<string, string> Overrides)
{
    /// <summary>True for a transport that asks smtp_tls_policy_maps.</summary>
    public bool IsSmtpClient => Program == "smtp" && Type == "unix";

    /// <summary>How postconf(1) names it: <c>smtp/unix</c>.</summary>
    public string FullName => $"{Name}/{Type}";
}

/// <summary>A parameter of main.cf with the value it is to have.</summary>
public sealed record MainCfEdit(string Parameter, string Value)
{
    public override string ToString() => $"{Parameter} = {Value}";
}

/// <summary>A command line that settles something.</summary>
/// <param name="Text">The line, to be pasted.</param>
/// <param name="Edit">What it changes in main.cf, so that <c>setup --apply</c> can do it; null for what a person has to do.</param>
public sealed record SetupCommand(string Text, MainCfEdit? Edit = null)
{
    public static implicit operator SetupCommand(string text) => new(text);
}
