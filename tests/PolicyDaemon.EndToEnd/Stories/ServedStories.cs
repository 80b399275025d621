using PolicyDaemon.EndToEnd.Lab;

namespace PolicyDaemon.EndToEnd.Stories;

/// <summary>Stories of the sending Postfix with our daemon behind its policy map.</summary>
public abstract class ServedStories(Laboratory lab) : IAsyncLifetime
{
    protected Laboratory Lab => lab;

    protected Policyd Policyd => lab.Policyd;

    protected SendingPostfix Sender => lab.Sender;

    protected IReadOnlyList<ReceivingServer> Servers => lab.Receivers.Servers;

    public async ValueTask InitializeAsync() => await lab.ServeAsync();

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await lab.Sender.ForgetAllAsync();
    }

    /// <summary>Adds a destination at the level of fingerprint and waits until it is served.</summary>
    protected async Task PinAsync(string key, params string[] pins)
    {
        await Policyd.DoAsync(["domain", "add", key, "--level", "fingerprint", .. pins.SelectMany(pin => new[] { "--match", pin })]);
        await Policyd.ServesAsync(key, "OK fingerprint match=");
    }

    /// <summary>Adds a destination at another level and waits until it is served.</summary>
    protected async Task AddAsync(string key, string level, params string[] options)
    {
        await Policyd.DoAsync(["domain", "add", key, "--level", level, .. options]);
        await Policyd.ServesAsync(key, "OK " + level);
    }
}
